// The vendors' own libraries for Node, pointed at a collector: node clients.mjs FOLDER URL SEGMENT_KEY SNOWPLOW_KEY
import { createRequire } from "node:module"
const [folder, url, key, snowplowKey] = process.argv.slice(2)
const need = createRequire(`${folder}/`)

const { Analytics } = need("@segment/analytics-node")
const segment = new Analytics({ writeKey: key, host: url, path: "/v1/batch", flushAt: 3 })
segment.identify({ userId: "node-1", traits: { email: "node@example.com", plan: "pro" } })
segment.track({ userId: "node-1", event: "Product Viewed", properties: { product_id: "p1", price: 12.5 } })
segment.page({ anonymousId: "node-anonymous", name: "Home", properties: { path: "/", title: "Home" } })
segment.screen({ userId: "node-1", name: "Start" })
segment.group({ userId: "node-1", groupId: "g1", traits: { name: "Acme" } })
segment.alias({ userId: "node-1", previousId: "node-before" })
await segment.closeAndFlush()

const RudderAnalytics = need("@rudderstack/rudder-sdk-node")
const rudder = new RudderAnalytics(key, { dataPlaneUrl: url, flushAt: 2, gzip: true })
rudder.identify({ userId: "rudder-1", traits: { email: "rudder@example.com", plan: "free" } })
rudder.track({ userId: "rudder-1", event: "Order Completed", properties: { order_id: "o1", value: 49.9 } })
rudder.track({ userId: "rudder-1", event: "Product Viewed", properties: { product_id: "p2", price: 3 } })
await new Promise((resolve) => rudder.flush(resolve))

const { newTracker, buildPageView, buildStructEvent, buildSelfDescribingEvent } = need("@snowplow/node-tracker")
const make = (eventMethod) => newTracker(
  { namespace: "shop", appId: "shop", encodeBase64: eventMethod === "get" },
  { endpoint: `${url}/k/${snowplowKey}`, eventMethod, bufferSize: 1,
    onRequestFailure: (failure) => { console.error("snowplow", failure); process.exitCode = 1 } })
for (const method of ["post", "get"]) {
  const tracker = make(method)
  tracker.setUserId(`snow-${method}`)
  tracker.track(buildPageView({ pageUrl: "https://shop.example/p/7?utm_source=mail", pageTitle: "Seven" }))
  tracker.track(buildStructEvent({ category: "shop", action: "product_viewed", label: "p7" }))
  tracker.track(buildSelfDescribingEvent({ event: {
    schema: "iglu:com.shop/signed_up/jsonschema/1-0-0", data: { form: "newsletter" } } }))
  if (tracker.flush) tracker.flush()
}
await new Promise((resolve) => setTimeout(resolve, 1500))
process.exit()
