"""German words for codes of reports: reasons, flags, checks; `report_codes_en` has the same keys."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "empty_arm": "ein Arm ist leer",
    "one_unit": "ein Arm hat nur eine Einheit",
    "zero_variance": "keine Einheit unterscheidet sich von einer anderen",
    "no_conversions": "in keinem Arm hat es jemand getan",
    "all_converted": "in beiden Armen haben es alle getan",
    "control_zero": "die Kontrolle ist null",
    "control_all": "in der Kontrolle haben es alle getan",
    "control_negative": "die Kontrolle liegt unter null",
    "control_near_zero": "die Kontrolle ist von null nicht zu unterscheiden",
    "treatment_not_positive": "der Arm liegt nicht über null",
    "denominator_zero": "die Nenner ergeben zusammen null",
    "no_covariate": "es gibt keine Zahl von vorher",
    "no_cost": "es sind keine Kosten angegeben",
    "nothing_sent": "es wurde nichts gesendet",
    "no_margin": "es ist keine Marge angegeben",
    "effect_may_be_zero": "die Wirkung kann null sein",
    "no_effect": "in dieser Richtung gibt es keine Wirkung",
    "no_compliance": "die Nachricht erreichte beide Arme gleich",
    "too_few": "es sind zu wenige",
    "windows_open": "noch ist niemandes Zeitraum vollständig",
    "nobody": "es gibt niemanden",
    "one_arm": "es gibt nichts zum Vergleichen",
    "weight_zero": "jemand ist in einem Arm, in dem niemand sein sollte",
    "no_data": "von einem Arm ist noch nichts bekannt",
    "no_new_data": "seit dem letzten Blick ist nichts dazugekommen",
    "out_of_reach": "keine Zahl von Personen würde reichen",
    "no_arrivals": "es kommt niemand dazu",
    "contradictory": "die Wirkung hat sich über die Zeit geändert",
    "missing": "eine Zahl, die eingeht, fehlt",
}
FLAGS: dict[str, str] = {
    "small_counts": "weniger als 10 in einem Arm",
    "small_sample": "weniger als 30 Einheiten in einem Arm",
    "zero_conversions": "niemand in einem Arm",
    "empty_arm": "ein Arm ist leer",
    "zero_variance": "keine Einheit unterscheidet sich von einer anderen",
    "baseline_not_positive": "die Kontrolle liegt nicht über null",
    "baseline_near_zero": "die Kontrolle ist von null nicht zu unterscheiden",
    "outlier_dominates": "eine Einheit entscheidet",
    "allocation_differs_by_stratum": "die Aufteilung unterscheidet sich zwischen Schichten",
    "simpson_reversal": "die Schichten zeigen in die andere Richtung",
    "contamination": "die Kontrolle bekam Nachrichten",
    "covariate_useless": "das Vorher hilft nicht",
    "srm_fail": "die Aufteilung ist verletzt",
    "srm_warn": "die Aufteilung ist zweifelhaft",
    "all_converted": "alle in einem Arm",
}
CHECKS: dict[str, str] = {
    "split.nobody": "niemand ist zugeteilt",
    "split.srm": "die Arme weichen um bis zu {excess} von ihren Gewichten ab (p {p}); Einheiten: {units}",
    "split.srm_analysed": "wie geplant zugeteilt, aber mit vollständigem Zeitraum nicht (p {p_analysed})",
    "split.srm_stratum": "in Schicht {stratum_worst} weichen die Arme von ihren Gewichten ab (p {stratum_p})",
    "split.srm_epoch": "bei den {epoch_worst}. Gewichten weichen die Arme von ihnen ab (p {epoch_p})",
    "split.srm_day": "am {day_worst} weichen die Arme von ihren Gewichten ab (p {day_p})",
    "two_arms.merged_within": "{once} der Zugeteilten sind jemand anderes im selben Arm und zählen einmal",
    "two_arms.merged": "{units} Einheiten ({share}) gehören in zwei Arme und bleiben in beiden außer Betracht",
    "maturity.data_ends_early": "die Daten enden am {data_until}, die Zeiträume am {windows_until}: wohl fehlen "
    "Ereignisse",
    "maturity.left_out": "{young} haben noch keinen vollständigen Zeitraum, {unexposed} wurden nicht erreicht; sie "
    "bleiben außer Betracht",
    "maturity.beyond_plan": "{beyond} wurden nach dem geplanten Ende erreicht und bleiben weg, damit spätere Blicke "
    "nicht neu entscheiden",
    "maturity.beyond_and_left_out": "{beyond} wurden nach dem geplanten Ende erreicht und bleiben weg, damit spätere "
    "Blicke nicht neu entscheiden; {young} haben noch keinen vollständigen Zeitraum, {unexposed} wurden nicht erreicht",
    "peeking.stopped_after_look": "vor dem geplanten Ende beendet, nachdem hineingesehen worden war ({unplanned} mal)",
    "peeking.before_end": "vor dem geplanten Ende angesehen; Blicke bisher: {looks}",
    "peeking.before_first_look": "vor dem ersten geplanten Blick angesehen; Blicke bisher: {looks}",
    "peeking.looked_before": "{unplanned} mal früher als geplant angesehen, was nun nichts mehr ändert",
    "plan_kept.changed_since": "seit dem Start geändert: {changes}; hier gilt, was damals festgelegt war",
    "multiplicity.several_tests": "{tests} Vergleiche entscheiden, darum ist p berichtigt",
    "interference.uneven": "wer auch an anderen Experimenten teilnimmt, ist ungleich auf die Arme verteilt",
    "interference.shared": "mehr als ein Fünftel nimmt auch an einem anderen Experiment teil",
    "split.share_changed": "{share} der Zugeteilten sind ausgenommen, und in segctl.yaml steht {declared}: den alten "
    "Anteil wieder einsetzen oder eine neue Generation beginnen",
    "contamination.controls_reached": "{reached} von {controls} in der Kontrolle ({share}) bekamen die Nachricht "
    "doch; "
    "unten steht, wodurch",
    "contamination.controls_stay": "{reached} von {controls} in der Kontrolle ({share}) bekamen die Nachricht oder "
    "stehen dort, wo sie verschickt wird, {staying} davon, weil das Ziel niemanden herausnimmt; dort leeren und neu "
    "beginnen",
    "contamination.told_after_stop": "nach dem Stopp wurden alle angeschrieben, als {cut} "
    "Zeiträume offen waren; diese fehlen",
    "contamination.others_uneven": "Nachrichten anderer Segmente erreichten Kontrolle und Arme ungleich",
    "contamination.others_reach_all": "Nachrichten anderer Segmente erreichten beide Seiten gleich",
    "power.few_conversions": "nur {conversions} in allen Armen zusammen haben es getan; hundert braucht es mindestens",
    "power.few_in_arm": "nur {least} in einem Arm haben es getan; zehn braucht es mindestens",
    "power.few_without": "alle bis auf {without} eines Arms; zehn, die es nicht taten, braucht es mindestens",
    "power.rests_on_few": "der Wert ruht auf wenigen, wie auf {rests_on} gleichen in einem Arm; zwanzig braucht es",
    "power.nothing_shared": "Arme ohne gemeinsame Schicht oder gemeinsame Zeit sind nicht vergleichbar",
    "power.few_units": "ein Arm hat nur {units} mit vollständigem Zeitraum",
    "power.mde_above_plan": "so viele finden bestenfalls eine Änderung von {mde}, geplant war {planned}",
    "imbalance.differed_before": "die Arme unterschieden sich schon vor der Nachricht; unten ist das Vorher "
    "berücksichtigt (CUPED)",
    "outliers.one_unit_outweighs": "einzelne {people} überwiegen einen Arm; unten steht das Ergebnis mit gekappten "
    "Werten",
    "outliers.rests_on_few": "ein Mittelwert ruht auf wenigen, wie auf {units} gleichen Werten; sein Intervall ist zu "
    "eng: große Werte kappen (`cap`) oder Konversionen ansehen",
    "outliers.rests_on_few_cut": "ein Mittel ruht trotz gekappter Werte auf wenigen, wie auf {units} gleichen Werten; "
    "sein Bereich ist zu eng, besser Konversionen ansehen",
    "baseline.no_percentages": "die Kontrolle ist von null nicht zu unterscheiden, darum keine Prozente",
    "novelty.effect_changes": "die Wirkung ändert sich über die Wochen (p {p}); die letzte Woche gesondert ansehen",
    "simpson.reversed": "das Ganze zeigt in die andere Richtung als die Schichten; es zählt das Ergebnis in diesen",
    "simpson.split_differs_by_stratum": "die Aufteilung unterscheidet sich zwischen Schichten (p {p}); es zählt das "
    "Ergebnis in den Schichten",
    "simpson.weights_changed": "die Gewichte wurden unterwegs geändert ({epochs} Stände); es zählt das Ergebnis darin",
}
HEADS: dict[str, str] = {
    "units": "Einheiten",
    "once": "Im Arm vereint",
    "expected": "Erwartet",
    "excess": "Zu viele",
    "analysed": "Vollständig",
    "share": "Anteil",
    "controls": "Kontrolle erreicht",
    "treated": "Andere erreicht",
    "treated_share": "Deren Anteil",
    "is_own": "Diese Kampagne",
    "is_uneven": "Ungleich",
    "young": "Zeitraum offen",
    "beyond": "Nach dem Plan",
    "unexposed": "Nicht erreicht",
    "largest": "Größter Wert",
    "of_sum": "Der Summe",
    "of_variance": "Der Streuung",
    "rests_on": "Ruht auf",
    "flag": "Grund",
    "control": "Kontrolle",
    "value": "Wert",
    "segment": "Segment",
    "p": "p",
    "arm": "Arm",
    "metric": "Messgröße",
    "experiment": "Experiment",
}
