//! The texts of the settings of a tenant.

use super::{Entry, Text, texts};

texts! {
    SETTINGS_LEAD: "These rules hold for the keys of your organization, within the bounds of its plan.",
        "Diese Regeln gelten für die Schlüssel Ihrer Organisation, in den Grenzen ihres Tarifs.";
    SETTING: "Setting", "Einstellung";
    VALUE_IN_FORCE: "Value in force", "Geltender Wert";
    SOURCE: "Source", "Herkunft";
    SOURCE_PLAN: "Plan", "Tarif";
    SOURCE_SETTING: "Set here", "Hier gesetzt";
    SOURCE_DEFAULT: "Default", "Vorgabe";
    BOUND_OF_PLAN: "Bound of the plan", "Grenze des Tarifs";
    NO_BOUND: "None", "Keine";
    SET_TO: "Set here to {value}. The plan allows less.", "Hier gesetzt auf {value}. Der Tarif erlaubt weniger.";
    IN_FORCE_NOW: "In force: {value} ({source}).", "Jetzt gilt: {value} ({source}).";
    CHANGE_SETTINGS: "Change the settings", "Einstellungen ändern";
    SETTINGS_READ_ONLY: "You may see the settings, but not change them.", "Sie dürfen die Einstellungen sehen, aber nicht ändern.";
    BLANK_IS_DEFAULT: "A blank field has its default.", "Für ein leeres Feld gilt die Vorgabe.";
    YES: "Yes", "Ja";
    NO: "No", "Nein";
    DEFAULT_CHOICE: "The default", "Die Vorgabe";
    NO_LIMIT: "No limit", "Keine Grenze";
    AT_LEAST: "At least {min}.", "Mindestens {min}.";
    FROM_TO: "From {min} to {max}.", "Von {min} bis {max}.";
    MINUTES: "1 minute|{count} minutes", "1 Minute|{count} Minuten";
    SECONDS: "1 second|{count} seconds", "1 Sekunde|{count} Sekunden";
    UNIT_OF: "Unit: {setting}", "Einheit: {setting}";
    UNIT_DAYS: "Days", "Tage";
    UNIT_HOURS: "Hours", "Stunden";
    UNIT_MINUTES: "Minutes", "Minuten";
    UNIT_SECONDS: "Seconds", "Sekunden";
    USES_IN: "1 use in {period}|{count} uses in {period}", "1 Benutzung je {period}|{count} Benutzungen je {period}";
    MORE_THAN: "More than {uses}", "Mehr als {uses}";

    API_KEYS: "API keys", "API-Schlüssel";
    SWITCH_IS_ON: "API keys are turned on.", "API-Schlüssel sind eingeschaltet.";
    SWITCH_IS_OFF: "API keys are turned off. Every request with a key is refused.", "API-Schlüssel sind ausgeschaltet. Jede Anfrage mit einem Schlüssel wird abgelehnt.";
    SWITCH_ON: "Turn API keys on", "API-Schlüssel einschalten";
    SWITCH_OFF: "Turn API keys off", "API-Schlüssel ausschalten";
    SWITCH_ON_LEAD: "Requests with keys work again, each key in its own status.", "Anfragen mit Schlüsseln werden wieder angenommen, je nach Status des Schlüssels.";
    SWITCH_OFF_LEAD: "Every request with a key of your organization is refused at once. No key is changed: they work again when you turn API keys on.",
        "Jede Anfrage mit einem Schlüssel Ihrer Organisation wird sofort abgelehnt. Kein Schlüssel wird geändert: Sie gelten wieder, wenn Sie API-Schlüssel einschalten.";
    KEYS_OF_SWITCH: "Your organization has 1 live key.|Your organization has {count} live keys.",
        "Ihre Organisation hat 1 laufenden Schlüssel.|Ihre Organisation hat {count} laufende Schlüssel.";
    SWITCHED_ON: "API keys are on.", "API-Schlüssel sind an.";
    SWITCHED_OFF: "API keys are off.", "API-Schlüssel sind aus.";

    REQUIRE_EXPIRY: "Require an expiry", "Ablauf verlangen";
    REQUIRE_EXPIRY_HINT: "Affects new keys only.", "Betrifft nur neue Schlüssel.";
    PLAN_REQUIRES_EXPIRY: "Your plan requires an expiry.", "Ihr Tarif verlangt einen Ablauf.";
    MAX_LIFETIME: "Longest lifetime", "Längste Laufzeit";
    MAX_LIFETIME_HINT: "Affects new keys only.", "Betrifft nur neue Schlüssel.";
    DEFAULT_LIFETIME: "Usual lifetime", "Übliche Laufzeit";
    DEFAULT_LIFETIME_HINT: "For a new key without an expiry of its own. Affects new keys only.", "Für einen neuen Schlüssel ohne eigenen Ablauf. Betrifft nur neue Schlüssel.";
    MAX_KEYS_PER_USER: "Most keys of a user", "Höchstzahl der Schlüssel je Person";
    MAX_KEYS_HINT: "Each key counts that is not expired or revoked. Affects new keys only.", "Es zählt jeder Schlüssel, der nicht abgelaufen oder widerrufen ist. Betrifft nur neue Schlüssel.";
    MAX_OVERLAP: "Longest overlap of a rotation", "Längste Übergangszeit einer Rotation";
    MAX_OVERLAP_HINT: "The time for which the old secret of a rotated key works. 0: it ends at once.", "Die Zeit, für die das alte Geheimnis eines rotierten Schlüssels gilt. 0: Es endet sofort.";
    NAME_PATTERN_FIELD: "Rule for names", "Regel für Namen";
    NAME_PATTERN_HINT: "Affects new keys and new names only.", "Betrifft nur neue Schlüssel und neue Namen.";
    ANY_NAME: "Any name", "Beliebige Namen";
    NAME_OF_WORDS: "Lower-case words with hyphens", "Kleingeschriebene Wörter mit Bindestrichen";
    NAME_OF_WORDS_AFTER: "Lower-case words with hyphens, one of these first: {environments}", "Kleingeschriebene Wörter mit Bindestrichen, zuerst eines von: {environments}";
    NAME_OF_ENVIRONMENT: "Lower-case words with hyphens, an environment first", "Kleingeschriebene Wörter mit Bindestrichen, eine Umgebung zuerst";
    PLAN_PATTERN: "The rule of the plan holds too: {pattern}.", "Auch die Regel des Tarifs gilt: {pattern}.";
    ENVIRONMENTS: "Environments", "Umgebungen";
    ENVIRONMENTS_HINT: "For the rule with an environment first, with commas between: prod, staging, test.", "Für die Regel mit einer Umgebung zuerst, mit Kommas dazwischen: prod, staging, test.";
    ENVIRONMENTS_REQUIRED: "Name the environments.", "Nennen Sie die Umgebungen.";
    ENVIRONMENTS_UNUSED: "Choose the rule with an environment first, or clear the environments.", "Wählen Sie die Regel mit einer Umgebung zuerst, oder löschen Sie die Umgebungen.";
    ENVIRONMENTS_INVALID: "Name at most 16 environments, each of 1 to 32 characters of a-z and 0-9.", "Nennen Sie höchstens 16 Umgebungen, jede aus 1 bis 32 Zeichen von a-z und 0-9.";
    DEFAULT_RATE: "Rate of a key", "Rate eines Schlüssels";
    DEFAULT_RATE_HINT: "For keys without a rate of their own, and the highest that owners can choose. Uses in a time, such as 100/60s.",
        "Für Schlüssel ohne eigene Rate, und die höchste, die Inhaber wählen können. Benutzungen in einer Zeit, zum Beispiel 100/60s.";
    EXTENSIVE_USE_ALERT: "Alert for extensive use", "Meldung bei starker Benutzung";
    EXTENSIVE_USE_HINT: "An event for a key with more accepted uses in a time than this, such as 1000/3600s.", "Ein Ereignis für einen Schlüssel mit mehr angenommenen Benutzungen in einer Zeit, zum Beispiel 1000/3600s.";
    SUSPICIOUS_USE_ALERT: "Alert for suspicious use", "Meldung bei verdächtiger Benutzung";
    SUSPICIOUS_USE_HINT: "An event for a key with more refused uses in a time than this, such as 20/60s.", "Ein Ereignis für einen Schlüssel mit mehr abgelehnten Benutzungen in einer Zeit, zum Beispiel 20/60s.";
    NO_ALERT: "No events", "Keine Ereignisse";
    PERIOD_AT_LEAST: "In a time of at least {min}.", "Kürzester Zeitraum: {min}.";
    RETENTION: "Keep ended keys for", "Beendete Schlüssel aufbewahren für";
    RETENTION_HINT: "Revoked and expired keys leave the list after this time.", "Widerrufene und abgelaufene Schlüssel verlassen nach dieser Zeit die Liste.";
    EVENT_RETENTION: "Keep events for", "Ereignisse aufbewahren für";
    EVENT_RETENTION_HINT: "Older events are removed.", "Ältere Ereignisse werden entfernt.";

    PLAN_API_ACCESS: "API access", "API-Zugang";
    PLAN_DEFAULT_SCOPES: "Default scopes", "Vorgegebene Rechte";
    PLAN_ROLES: "Roles", "Rollen";
    PLAN_MAX_KEYS_PER_ACCOUNT: "Most keys of a service account", "Höchstzahl der Schlüssel je Dienstkonto";
    PLAN_MAX_KEYS_OF_ORGANIZATION: "Most keys of the organization", "Höchstzahl der Schlüssel der Organisation";
    PLAN_MIN_ALERT_PERIOD: "Shortest period of an alert", "Kürzester Zeitraum einer Meldung";
    PLAN_MAX_RETENTION: "Keep ended keys for at most", "Beendete Schlüssel höchstens aufbewahren für";
    PLAN_MIN_EVENT_RETENTION: "Keep events for at least", "Ereignisse mindestens aufbewahren für";
    PLAN_MAX_EVENT_RETENTION: "Keep events for at most", "Ereignisse höchstens aufbewahren für";

    AMOUNT_INVALID: "{field}: enter a whole number and choose its unit. \"{got}\" is not possible.", "{field}: Geben Sie eine ganze Zahl ein, und wählen Sie die Einheit. \"{got}\" ist nicht möglich.";
    KEYS_INVALID: "The most keys of a user must be a whole number from 1 to {max}.", "Die Höchstzahl der Schlüssel je Person muss eine ganze Zahl von 1 bis {max} sein.";
    ALERT_INVALID: "Write the alert like 1000/3600s: 1000 uses in 3600 seconds, from 60 seconds to 31 days.", "Schreiben Sie die Meldung wie 1000/3600s: 1000 Benutzungen in 3600 Sekunden. Zeitraum: mindestens 60 Sekunden, höchstens 31 Tage.";
    DEFAULT_ABOVE_MAX: "The usual lifetime must not be longer than the longest lifetime, {max}.", "Die übliche Laufzeit darf nicht länger sein als die längste Laufzeit, {max}.";
    BEYOND_PLAN: "Your plan allows at most {max}.", "Ihr Tarif erlaubt höchstens {max}.";
    SHORTER_THAN_PLAN: "Your plan requires at least {min}.", "Ihr Tarif verlangt mindestens {min}.";
    PERIOD_BEYOND_PLAN: "Your plan requires a time of at least {min}.", "Kürzester Zeitraum Ihres Tarifs: {min}.";
}
