// Encodes or decodes TC strings with the reference library; one JSON value a line, in and out.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { GVL, TCModel, TCString } = createRequire(process.argv[2] + "/x.js")("@iabtechlabtcf/core");
const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  const asked = JSON.parse(line);
  if (asked.encode) console.log(JSON.stringify(encoded(asked.encode)));
  else console.log(JSON.stringify(decoded(asked.decode)));
}

function encoded(of) {
  const purposes = Object.fromEntries([...Array(11).keys()].map((i) => [i + 1, { id: i + 1 }]));
  const known = [...new Set([...of.vendors, ...of.others, ...of.disclosed])].sort((a, b) => a - b);
  const vendor = (id) => [id, { id, purposes: [1, 3, 4], legIntPurposes: [2, 7], flexiblePurposes: [], features: [],
    specialPurposes: [], specialFeatures: [1] }];
  const list = new GVL({ gvlSpecificationVersion: 3, vendorListVersion: of.list, tcfPolicyVersion: of.policy,
    lastUpdated: "2026-01-01T00:00:00Z", purposes, specialPurposes: {}, features: {}, stacks: {},
    specialFeatures: { 1: { id: 1 }, 2: { id: 2 } }, vendors: Object.fromEntries(known.map(vendor)) });
  const model = new TCModel(list);
  model.cmpId = of.cmp; model.cmpVersion = 3; model.consentScreen = 2; model.consentLanguage = "DE";
  model.publisherCountryCode = "AT"; model.isServiceSpecific = true; model.policyVersion = of.policy;
  model.created = new Date(of.created); model.lastUpdated = new Date(of.created);
  model.specialFeatureOptins.set(of.features); model.purposeConsents.set(of.purposes);
  model.purposeLegitimateInterests.set(of.interests); model.vendorConsents.set(of.vendors);
  model.vendorLegitimateInterests.set(of.others); model.vendorsDisclosed.set(of.disclosed);
  model.publisherConsents.set(of.purposes);
  return TCString.encode(model);
}

function decoded(text) {
  try {
    const m = TCString.decode(text);
    const set = (vector) => [...vector].filter(([, on]) => on).map(([id]) => id);
    return { purposes: set(m.purposeConsents), interests: set(m.purposeLegitimateInterests),
      features: set(m.specialFeatureOptins), vendors: set(m.vendorConsents),
      others: set(m.vendorLegitimateInterests), disclosed: set(m.vendorsDisclosed), cmp: m.cmpId,
      language: m.consentLanguage, country: m.publisherCountryCode, created: m.created.getTime() };
  } catch (error) { return { error: String(error) }; }
}
