//! The texts of the navigation, of lists and of facts about keys.

use super::{Entry, Text, texts};

texts! {
    NAVIGATION: "API keys", "API-Schlüssel";
    THE_API: "the API", "die API";
    OWN_KEYS: "Your API keys", "Ihre API-Schlüssel";
    ORGANIZATION_KEYS: "Keys of the organization", "Schlüssel der Organisation";
    ACCOUNTS: "Service accounts", "Dienstkonten";
    ALL_KEYS: "All keys", "Alle Schlüssel";
    SETTINGS: "Settings", "Einstellungen";
    EVENTS: "Events", "Ereignisse";
    OWN_KEYS_LEAD: "A key lets a program use {product} in your name. Treat it like a password.",
        "Mit einem Schlüssel nutzt ein Programm {product} in Ihrem Namen. Behandeln Sie ihn wie ein Passwort.";
    ORGANIZATION_KEYS_LEAD: "These keys belong to the organization. They work even after the people who made them have left.",
        "Diese Schlüssel gehören der Organisation. Sie gelten weiter, auch wenn die Personen, die sie erzeugt haben, die Organisation verlassen.";
    READ_DOCUMENTATION: "Read the API documentation", "Zur API-Dokumentation";
    KEYS_OF_MAX: "{live} of {max} keys used", "{live} von {max} Schlüsseln verwendet";
    KEY_COUNT: "1 live key|{count} live keys", "1 laufender Schlüssel|{count} laufende Schlüssel";
    NEW_KEY: "Generate API key", "API-Schlüssel erzeugen";
    NO_LIVE_KEYS_YET: "There are no live keys.", "Es gibt keine laufenden Schlüssel.";
    NOTHING_FOUND: "No key matches this filter. Choose the status \"All\" to see every key.",
        "Kein Schlüssel passt zu diesem Filter. Mit dem Status \"Alle\" sehen Sie jeden Schlüssel.";
    NO_NEW_KEY: "You can't generate a key now", "Sie können jetzt keinen Schlüssel erzeugen";
    UPGRADE_REQUIRED: "Upgrade required: your plan does not include API access.",
        "Upgrade nötig: Ihr Tarif enthält keinen API-Zugang.";
    UPGRADE: "See the plans", "Tarife ansehen";
    API_KEYS_OFF: "API keys are turned off for your organization.", "API-Schlüssel sind für Ihre Organisation ausgeschaltet.";
    PERMISSION_MISSING: "You don't have the permission to generate keys.", "Ihnen fehlt die Berechtigung, Schlüssel zu erzeugen.";
    TOO_MANY_KEYS: "The limit of 1 live key is reached. A disabled key counts too. Revoke or delete it first.|The limit of {count} live keys is reached. Disabled keys count too. Revoke or delete one first.",
        "Die Höchstzahl von 1 laufenden Schlüssel ist erreicht. Auch ein deaktivierter Schlüssel zählt. Widerrufen oder löschen Sie ihn zuerst.|Die Höchstzahl von {count} laufenden Schlüsseln ist erreicht. Auch deaktivierte Schlüssel zählen. Widerrufen oder löschen Sie zuerst einen.";
    ASK_ADMINISTRATORS: "Ask {people}.", "Fragen Sie {people}.";
    ASK_AN_ADMINISTRATOR: "Ask an administrator of your organization.", "Fragen Sie eine Administratorin oder einen Administrator Ihrer Organisation.";
    ASK_SUPPORT: "Contact support", "Support kontaktieren";

    SEARCH: "Name, id or owner", "Name, ID oder Inhaber";
    STATUS: "Status", "Status";
    SORT: "Sort by", "Sortieren nach";
    UNUSED_FOR: "Unused for", "Unbenutzt (Zeitraum)";
    ANY_USE: "Any", "Beliebig";
    FILTER: "Filter", "Filtern";
    GROUP_LIVE: "Live", "Laufend";
    GROUP_ENDED: "Expired or revoked", "Abgelaufen oder widerrufen";
    GROUP_ALL: "All", "Alle";
    SHOW_ENDED: "Show expired and revoked keys", "Abgelaufene und widerrufene Schlüssel zeigen";
    SHOW_LIVE: "Show live keys", "Laufende Schlüssel zeigen";
    SORT_CREATED: "Newest first", "Neueste zuerst";
    SORT_NAME: "Name", "Name";
    SORT_USED: "Last used first", "Zuletzt benutzte zuerst";
    SORT_UNUSED: "Longest unused first", "Am längsten unbenutzte zuerst";
    SORT_EXPIRES: "Next to expire first", "Bald ablaufende zuerst";
    PAGES: "Pages", "Seiten";
    FIRST_PAGE: "First page", "Erste Seite";
    NEXT_PAGE: "Next page", "Nächste Seite";

    SELECT: "Select", "Auswählen";
    SELECT_KEY: "Select {name}", "{name} auswählen";
    NAME: "Name", "Name";
    PREFIX: "Prefix", "Präfix";
    OWNER: "Owner", "Inhaber";
    ORGANIZATION: "The organization", "Die Organisation";
    CREATED: "Created", "Erzeugt";
    BY_WHOM: "by {who}", "von {who}";
    LAST_CHANGED: "Last changed", "Zuletzt geändert";
    LAST_USED: "Last used", "Zuletzt benutzt";
    USES: "Uses", "Benutzungen";
    REFUSED_USES: "Refused uses", "Abgelehnte Benutzungen";
    EXPIRES: "Expires", "Läuft ab";
    NO_EXPIRY: "No expiry", "Kein Ablauf";
    NEVER: "Never", "Nie";
    NOT_YET: "Not yet", "Noch nicht";
    ACTIONS: "Actions", "Aktionen";
    NOT_BEFORE: "Valid from", "Gültig ab";
    ROTATED_AT: "Rotated", "Rotiert";
    REVOKED_AT: "Revoked at", "Widerrufen am";
    STATUS_ACTIVE: "Active", "Aktiv";
    STATUS_DISABLED: "Disabled", "Deaktiviert";
    STATUS_SCHEDULED: "Scheduled", "Geplant";
    STATUS_EXPIRED: "Expired", "Abgelaufen";
    STATUS_REVOKED: "Revoked", "Widerrufen";
    STOPPED_BY_ACCOUNT: "Stopped: the service account is disabled", "Gestoppt: Das Dienstkonto ist deaktiviert";
    STOPPED_BY_USER: "Stopped: the user is suspended", "Gestoppt: Die Person ist gesperrt";
    STOPPED_BY_SWITCH: "Stopped: API keys are turned off", "Gestoppt: API-Schlüssel sind ausgeschaltet";
    STOPPED_BY_PLAN: "Stopped: the plan has no API access", "Gestoppt: Der Tarif enthält keinen API-Zugang";
    OLD_SECRET_UNTIL: "Old secret until {time}", "Altes Geheimnis bis {time}";
    MAKE_NEW_ONE: "Expired, make a new one", "Abgelaufen, neuen erzeugen";
    DAYS: "1 day|{count} days", "1 Tag|{count} Tage";
    HOURS: "1 hour|{count} hours", "1 Stunde|{count} Stunden";
    BACK_TO_KEYS: "Back to the keys", "Zurück zu den Schlüsseln";

    QUESTIONS: "Questions and answers", "Fragen und Antworten";
    QUESTION_LOST: "I lost a key. Can I see it again?", "Ich habe einen Schlüssel verloren. Kann ich ihn noch einmal sehen?";
    ANSWER_LOST: "No. The key itself is not stored. Rotate it to get a new secret, or generate another key.",
        "Nein. Der Schlüssel selbst ist nicht gespeichert. Rotieren Sie ihn, um ein neues Geheimnis zu erhalten, oder erzeugen Sie einen anderen.";
    QUESTION_LEAKED: "A key leaked. What do I do?", "Ein Schlüssel ist in falsche Hände geraten. Was tun?";
    ANSWER_LEAKED: "Rotate it so that the old secret is refused at once. If the key is not needed, revoke it.",
        "Rotieren Sie ihn so, dass das alte Geheimnis sofort abgelehnt wird. Wird der Schlüssel nicht gebraucht, widerrufen Sie ihn.";
    QUESTION_ROTATE: "How do I replace a key without an outage?", "Wie ersetze ich einen Schlüssel ohne Ausfall?";
    ANSWER_LOST_WITHOUT_ROTATION: "No. The key itself is not stored. Generate another key.",
        "Nein. Der Schlüssel selbst ist nicht gespeichert. Erzeugen Sie einen anderen.";
    ANSWER_LEAKED_WITHOUT_ROTATION: "Disable or delete it: requests with it are refused at once. Then generate another key.",
        "Deaktivieren oder löschen Sie ihn: Anfragen mit ihm werden sofort abgelehnt. Erzeugen Sie dann einen anderen.";
    ANSWER_ROTATE: "Rotate it, and let the old secret work for some time. Install the new secret everywhere, and stop the old one when it is no longer used.",
        "Rotieren Sie ihn, und lassen Sie das alte Geheimnis noch eine Zeit lang gelten. Tragen Sie das neue überall ein, und schalten Sie das alte ab, wenn es nicht mehr benutzt wird.";
    ANSWER_ROTATE_AT_ONCE: "Generate another key, install it everywhere, and delete the old one when it is no longer used.",
        "Erzeugen Sie einen weiteren Schlüssel, tragen Sie ihn überall ein, und löschen Sie den alten, wenn er nicht mehr benutzt wird.";
    QUESTION_LAST_USED: "How current is \"last used\"?", "Wie aktuell ist \"zuletzt benutzt\"?";
    ANSWER_LAST_USED: "It is written every few seconds, so a use of this moment can be missing.",
        "Die Angabe wird alle paar Sekunden geschrieben; eine Benutzung von eben kann noch fehlen.";
}
