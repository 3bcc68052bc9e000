"""Sentences of plans of experiments, German and English, with places for numbers and names."""

from __future__ import annotations

EN = {
    "effect": "To find {effect} in {metric} ({before} → {after}) with {power} power, {needed} {units} are needed",
    "impossible": "{effect} in {metric} ({before}) cannot be found with any number of {units}",
    "enough_now": "The {there} there are now are enough: a decision after {total} days",
    "enough_later": "There are {there} now and about {daily} come a day: enough after {enrol} days, a decision after "
    "{total} days",
    "too_late": "There are {there} now and about {daily} come a day: a decision after {total} days, which is after the "
    "planned end on {end}; by then {reached} {units} find {found} at best",
    "hopeless": "This is hopeless: with {there} {units} the smallest effect you can find is {found}",
    "longer": ", and enough would have come after {total} days only",
    "never": ", and too few come",
    "open": "With the {there} {units} there are now the smallest effect you can find is {found}",
    "open_nothing": "With the {there} {units} there are now no effect can be found",
    "nobody": "Nobody could take part now, and nobody is on record who comes; `--members` says how many there will be",
    "no_baseline": "Nothing is known of {metric}: nobody was a member on {first}; `--baseline 3%` says what it is now",
    "size": "The planned size of {size} {units} finds {found} at best",
    "size_nothing": "The planned size of {size} {units} finds no effect",
    "measured": "{metric} was {before} among the {then} {units} who were members on {first}, in the {window} after it",
    "behind": "The newest event is of {last}, so the past window ends there",
    "rough": "{metric} was measured on few {units}, so that these numbers are rough",
    "told": "The experiment has begun: {told} people were exposed to it, and what was measured may be of them",
    "given": "{metric} was given as {before}",
    "taking": "Reach, layer, traffic and universal holdout leave {share} of {all} {units}: {there}",
    "reach": "A push would reach {share} of the members: identifier, consent and suppression keep the others out",
    "times": "{metrics}: who does nothing counts with the whole window, so no number of {units} is planned for it",
    "arms_differ": "This is a plan of {arms} arms; the experiment declares {declared}",
    "arrivals_runs": "About {daily} {units} come a day, by the runs on record",
    "arrivals_window": "About {daily} {units} come a day: so many are members now and were none a window ago",
    "arrivals_given": "About {daily} {units} come a day, as given",
    "tests": "{tests} comparisons share the error rate of {alpha}: each is judged at {each} (Bonferroni)",
    "looks_planned": "{looks} planned looks need {factor} times the units of one at the end (Lan-DeMets, "
    "O'Brien-Fleming)",
    "looks_always": "Looking at any time needs {factor} times the units of one look at the end (always valid)",
    "saves": "The {before} before explain {saving} of the differences in {metric}: so many fewer {units} do (CUPED)",
    "would": "`before: 90 days` at {metric} would save {saving} of the {units} (CUPED)",
    "clusters": "A unit is {size} profiles by `{same}`; they are alike by {icc}, so that units need {effect} times the "
    "profiles that profiles alone would",
    "control": "A control of {share} needs {factor} times the units of one of 50 %",
    "formula": "Formula: {formula}; two-sided, error rate {alpha}, power {power}",
    "fleiss": "two rates by Fleiss, Levin, Paik 2003",
    "noncentral_t": "two means by Student's t (noncentral)",
    "delta": "ratio of sums by the delta method, then two means by Student's t (noncentral)",
    "arms": "arms",
    "splits": "other shares of the control",
    "curve": "what more units find: {metric}",
    "points": "points",
    "profiles": "profiles",
    "households": "units",
    "eligible": "Who cannot be reached is still in these numbers: `segctl show {segment} --waterfall` counts them",
}
DE = {
    "effect": "Um bei {metric} {effect} zu finden ({before} → {after}), mit {power} Power, braucht es {needed} {units}",
    "impossible": "{effect} bei {metric} ({before}) lässt sich mit keiner Zahl von {units_n} finden",
    "enough_now": "Die {there}, die es jetzt gibt, reichen: Entscheidung nach {total} Tagen",
    "enough_later": "Jetzt gibt es {there}, und am Tag kommen etwa {daily}: genug nach {enrol} Tagen, Entscheidung "
    "nach {total} Tagen",
    "too_late": "Jetzt gibt es {there}, und am Tag kommen etwa {daily}: Entscheidung nach {total} Tagen, also nach dem "
    "geplanten Ende am {end}; bis dahin finden {reached} {units} bestenfalls {found}",
    "hopeless": "Das ist aussichtslos: Mit {there} {units_n} ist der kleinste Effekt, den man finden kann, {found}",
    "longer": "; genug wären erst nach {total} Tagen da",
    "never": "; und es kommen zu wenige dazu",
    "open": "Mit den {there} {units_n}, die es jetzt gibt, ist der kleinste Effekt, den man finden kann, {found}",
    "open_nothing": "Mit den {there} {units_n}, die es jetzt gibt, lässt sich kein Effekt finden",
    "nobody": "Jetzt könnte niemand teilnehmen, und niemand ist verzeichnet, der dazukommt; `--members` sagt, wie "
    "viele es sein werden",
    "no_baseline": "Über {metric} ist nichts bekannt: Niemand war am {first} Mitglied; `--baseline 3%` sagt, was "
    "jetzt gilt",
    "size": "Die geplante Größe von {size} {units_n} findet bestenfalls {found}",
    "size_nothing": "Die geplante Größe von {size} {units_n} findet keinen Effekt",
    "measured": "{metric} lag bei {before} unter den {then} {units_n}, die am {first} Mitglied waren, in den {window} "
    "danach",
    "behind": "Das neueste Ereignis ist vom {last}, dort endet daher das vergangene Fenster",
    "rough": "{metric} ist an wenigen {units_n} gemessen, die Zahlen sind daher grob",
    "told": "Das Experiment läuft schon: {told} Leute sind in ihm angesprochen oder zurückgehalten, und was gemessen "
    "ist, kann von ihnen stammen",
    "given": "{metric} ist mit {before} angegeben",
    "taking": "Erreichbarkeit, Ebene, Anteil und allgemeine Kontrollgruppe lassen {share} von {all} {units_n} übrig: "
    "{there}",
    "reach": "Ein Versand würde {share} der Mitglieder erreichen: Adresse, Einwilligung und Sperren halten die anderen "
    "heraus",
    "times": "{metrics}: Wer nichts tut, zählt mit dem ganzen Fenster; dafür ist keine Zahl von {units_n} geplant",
    "arms_differ": "Das ist ein Plan mit {arms} Armen; das Experiment hat {declared}",
    "arrivals_runs": "Am Tag kommen etwa {daily} {units}, nach den verzeichneten Läufen",
    "arrivals_window": "Am Tag kommen etwa {daily} {units}: so viele sind jetzt Mitglied und waren es vor einem "
    "Fenster nicht",
    "arrivals_given": "Am Tag kommen etwa {daily} {units}, wie angegeben",
    "tests": "{tests} Vergleiche teilen sich die Irrtumswahrscheinlichkeit von {alpha}: jeder gilt bei {each} "
    "(Bonferroni)",
    "looks_planned": "{looks} geplante Blicke brauchen {factor}-mal so viele {units} wie einer am Ende (Lan-DeMets, "
    "O'Brien-Fleming)",
    "looks_always": "Jederzeit hinsehen braucht {factor}-mal so viele {units} wie ein Blick am Ende (jederzeit gültig)",
    "saves": "Die {before} davor erklären {saving} der Unterschiede bei {metric}; um so viel weniger {units} reichen "
    "(CUPED)",
    "would": "`before: 90 days` bei {metric} würde {saving} der {units} sparen (CUPED)",
    "clusters": "Eine Einheit sind {size} Profile nach `{same}`; sie gleichen sich zu {icc}, Einheiten brauchen daher "
    "{effect}-mal so viele Profile wie Profile allein",
    "control": "Eine Kontrollgruppe von {share} braucht {factor}-mal so viele {units} wie eine von 50 %",
    "formula": "Formel: {formula}; zweiseitig, Irrtumswahrscheinlichkeit {alpha}, Power {power}",
    "fleiss": "zwei Anteile nach Fleiss, Levin, Paik 2003",
    "noncentral_t": "zwei Mittelwerte mit Students t (nichtzentral)",
    "delta": "Verhältnis von Summen mit der Delta-Methode, dann zwei Mittelwerte mit Students t (nichtzentral)",
    "arms": "Arme",
    "splits": "andere Anteile der Kontrollgruppe",
    "curve": "was mehr Einheiten finden: {metric}",
    "points": "Punkte",
    "profiles": "Profile",
    "households": "Einheiten",
    "profiles_n": "Profilen",
    "households_n": "Einheiten",
    "eligible": "Wer nicht erreichbar ist, steckt noch in diesen Zahlen: `segctl show {segment} --waterfall` zählt sie",
}
UNITS_DE = {
    "seconds": "Sekunden", "minutes": "Minuten", "hours": "Stunden", "days": "Tagen", "weeks": "Wochen",
    "months": "Monaten", "years": "Jahren",
}  # fmt: skip
