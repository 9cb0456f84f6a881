//! The texts of the forms of a key.

use super::{Entry, Text, texts};

texts! {
    GENERATE: "Generate", "Erzeugen";
    KEY_FOR: "The key will belong to: {owner}.", "Inhaber des Schlüssels: {owner}.";
    NAME_HINT: "Name the purpose, not a person.", "Benennen Sie den Zweck, keine Person.";
    NAME_HINT_PATTERN: "Name the environment and the purpose in lower-case words with hyphens, not a person.",
        "Benennen Sie Umgebung und Zweck in Kleinbuchstaben mit Bindestrichen, keine Person.";
    NAME_EXAMPLES: "Examples: {examples}.", "Beispiele: {examples}.";
    DESCRIPTION_FIELD: "Description (optional)", "Beschreibung (optional)";
    DESCRIPTION_HINT: "What uses this key, for example \"nightly export\".", "Was diesen Schlüssel benutzt, zum Beispiel \"nächtlicher Export\".";
    DESCRIPTION: "Description", "Beschreibung";
    CONTACT: "Technical contact", "Technischer Kontakt";
    NETWORKS: "Networks", "Netze";
    RATE: "Rate", "Rate";
    CONTACT_FIELD: "Technical contact (optional)", "Technischer Kontakt (optional)";
    CONTACT_HINT: "Who must know before the key is rotated or revoked.", "Wer vor einer Rotation oder einem Widerruf Bescheid wissen muss.";
    SCOPES_FIELD: "Scopes", "Rechte";
    SCOPES_HINT: "With none checked, the key follows the default: {scopes}.", "Ohne Auswahl folgt der Schlüssel der Vorgabe: {scopes}.";
    SCOPES_HINT_NONE: "With none checked, the key has no scope.", "Ohne Auswahl hat der Schlüssel keine Rechte.";
    SCOPES_GIVEN: "Scopes of the key: {scopes}.", "Rechte des Schlüssels: {scopes}.";
    SCOPE_LOST: "Not in the plan or the role now, so without effect.", "Zurzeit nicht im Tarif oder in der Rolle, daher ohne Wirkung.";
    NO_SCOPES: "None", "Keine";
    NETWORKS_FIELD: "Networks (optional)", "Netze (optional)";
    NETWORKS_HINT: "Addresses or networks, one a line, such as 203.0.113.0/24. Blank: the key works from anywhere.",
        "Adressen oder Netze, je eines pro Zeile, zum Beispiel 203.0.113.0/24. Leer: Der Schlüssel gilt von überall.";
    RATE_FIELD: "Rate (optional)", "Rate (optional)";
    RATE_HINT: "Uses in a time, such as 100/60s.", "Benutzungen in einer Zeit, zum Beispiel 100/60s.";
    AT_MOST: "At most {max}.", "Höchstens {max}.";
    OPTIONAL_FIELD: "{field} (optional)", "{field} (optional)";
    EXPIRY: "Expiry", "Ablauf";
    EXPIRES_ON: "Expiry date", "Ablaufdatum";
    DATE_HINT: "The key works until the end of that day (UTC).", "Der Schlüssel gilt bis zum Ende dieses Tages (UTC).";
    DATE_OF_CHOICE: "For \"On a date\": the key works until the end of that day (UTC).",
        "Für \"An einem Datum\": Der Schlüssel gilt bis zum Ende dieses Tages (UTC).";
    ON_A_DATE: "On a date", "An einem Datum";
    ENDS_AT: "Until {time}", "Bis {time}";
    NEVER_WARNING: "A key without an expiry works until someone revokes it.", "Ein Schlüssel ohne Ablauf gilt, bis ihn jemand widerruft.";
    LIFETIME_AT_MOST: "Your organization allows at most {max}.", "Ihre Organisation erlaubt höchstens {max}.";
    BLANK_NEVER: "Without one, the key does not expire.", "Ohne Angabe läuft der Schlüssel nicht ab.";
    BLANK_DEFAULT: "Without one, the key expires after {lifetime}.", "Ohne Angabe gilt diese Laufzeit: {lifetime}.";
    EXPIRY_NEEDED: "An expiry is required.", "Ein Ablauf ist erforderlich.";
    SET_EXPIRY: "Set an expiration", "Ablauf festlegen";
    LIFETIME_DAYS: "Lifetime (days)", "Laufzeit (Tage)";

    KEY_MADE: "Your new API key", "Ihr neuer API-Schlüssel";
    KEY_ROTATED: "The key has a new secret", "Der Schlüssel hat ein neues Geheimnis";
    SHOWN_ONCE: "This is shown only once.", "Dies wird nur einmal angezeigt.";
    SHOWN_ONCE_TEXT: "Copy it now and store it in a safe place. It cannot be shown again.",
        "Kopieren Sie es jetzt und bewahren Sie es sicher auf. Es kann nicht noch einmal angezeigt werden.";
    TOKEN: "API key", "API-Schlüssel";
    KEY_ID: "Key ID", "Schlüssel-ID";
    KEY_SECRET: "Key secret", "Geheimnis";
    ENVIRONMENT_LINE: "Line for an environment file", "Zeile für eine Umgebungsdatei";
    COPY: "Copy {label}", "{label} kopieren";
    COPIED: "Copied.", "Kopiert.";
    PRESS_COPY: "The text is selected. Press Ctrl+C or Cmd+C to copy it.", "Der Text ist markiert. Kopieren Sie ihn mit Strg+C oder Cmd+C.";
    I_HAVE_STORED_IT: "I have stored it", "Ich habe es gespeichert";
    DEPLOY_THEN_FINISH: "Install the new secret everywhere. The screen of the key shows when each secret was last used.",
        "Tragen Sie das neue Geheimnis überall ein. Die Seite des Schlüssels zeigt, wann jedes Geheimnis zuletzt benutzt wurde.";
    OLD_SECRET_WORKS_UNTIL: "Old secret works until", "Altes Geheimnis gilt bis";
    SECRET_NOT_SHOWN_AGAIN: "The secret was shown when the key was generated or rotated, and is not stored. If it is lost, rotate the key.",
        "Das Geheimnis wurde beim Erzeugen oder Rotieren angezeigt und ist nicht gespeichert. Ging es verloren, rotieren Sie den Schlüssel.";
    LIMITED_BY_ADMINISTRATOR: "An administrator limited this key. You can narrow the limits, but not widen them.",
        "Dieser Schlüssel wurde von der Administration begrenzt. Sie können die Grenzen enger, aber nicht weiter ziehen.";
    REVOKED_IS_FINAL: "A revoked key stays revoked. It is kept in the list so that its use can be looked up.",
        "Ein widerrufener Schlüssel bleibt widerrufen. Er bleibt in der Liste, damit seine Benutzung nachgesehen werden kann.";
    REVOKED_BY: "Revoked by", "Widerrufen von";
    AUTHOR_OPERATOR: "Operator {id}", "Betrieb: {id}";
    AUTHOR_POSSESSOR: "The key itself", "Der Schlüssel selbst";
    AUTHOR_SYSTEM: "The system", "Das System";
    EVENTS_OF_KEY: "Events of this key", "Ereignisse dieses Schlüssels";

    OVERLAP_TITLE: "Two secrets work", "Zwei Geheimnisse gelten";
    OLD_SECRET_USED: "Old secret last used", "Altes Geheimnis zuletzt benutzt";
    OLD_SECRET_NOT_SEEN: "No use on record", "Keine Benutzung verzeichnet";
    NEW_SECRET_USED: "New secret last used", "Neues Geheimnis zuletzt benutzt";
    SAFE_TO_FINISH: "The new secret is in use, and no use of the old one was counted in the last hour. Check systems that run less often before you stop the old secret.",
        "Das neue Geheimnis ist in Benutzung, und in der letzten Stunde wurde keine Benutzung des alten gezählt. Prüfen Sie Systeme, die seltener laufen, bevor Sie das alte Geheimnis abschalten.";
    NEW_SECRET_UNUSED: "Keep the old secret for now: no use of the new one was counted yet.",
        "Behalten Sie das alte Geheimnis vorerst: Vom neuen wurde noch keine Benutzung gezählt.";
    OLD_SECRET_IN_USE: "Keep the old secret for now: it was used within the last hour.",
        "Behalten Sie das alte Geheimnis vorerst: Es wurde in der letzten Stunde benutzt.";

    EDIT: "Edit", "Bearbeiten";
    EDIT_KEY: "Edit {name}", "{name} bearbeiten";
    EXPIRY_IS_FIXED: "The expiry can't be changed: make a new key.", "Der Ablauf lässt sich nicht ändern: Erzeugen Sie einen neuen Schlüssel.";
    SAVE: "Save", "Speichern";
    CANCEL: "Cancel", "Abbrechen";
    ROTATE: "Rotate", "Rotieren";
    ROTATE_KEY: "Rotate {name}", "{name} rotieren";
    ROTATE_LEAD: "The key gets a new secret, which is shown once. Its name, scopes and expiry stay.",
        "Der Schlüssel erhält ein neues Geheimnis, das einmal angezeigt wird. Name, Rechte und Ablauf bleiben.";
    TELL_OWNER: "Tell the people who run the systems with this key first.", "Informieren Sie zuerst die Verantwortlichen der Systeme mit diesem Schlüssel.";
    TELL_CONTACT: "Tell the technical contact first: {contact}.", "Informieren Sie zuerst den technischen Kontakt: {contact}.";
    SECOND_ROTATION: "An earlier rotation is not finished. Its old secret is refused as soon as you rotate again.",
        "Eine frühere Rotation ist noch nicht beendet. Deren altes Geheimnis wird mit der nächsten Rotation sofort abgelehnt.";
    OVERLAP_FIELD: "How long does the old secret work?", "Wie lange gilt das alte Geheimnis?";
    OVERLAP_NOW: "It ends now", "Es endet jetzt";
    OVERLAP_NOW_HINT: "Choose this after a leak. Systems with the old secret are refused at once.", "Wählen Sie dies, wenn das Geheimnis in falsche Hände geraten ist. Systeme mit dem alten Geheimnis werden sofort abgelehnt.";
    OVERLAP_HINT: "Both secrets work until {time}.", "Beide Geheimnisse gelten bis {time}.";
    OVERLAP_NONE: "The old secret is refused at once.", "Das alte Geheimnis wird sofort abgelehnt.";
    OVERLAP_OTHER: "Another time", "Eine andere Zeit";
    OVERLAP_HOURS: "Hours, for another time", "Stunden, für eine andere Zeit";
    FINISH_ROTATION: "Stop the old secret", "Altes Geheimnis abschalten";
    FINISH_KEY: "Stop the old secret of {name}", "Altes Geheimnis von {name} abschalten";
    FINISH_LEAD: "The old secret is refused at once. The new one keeps working.", "Das alte Geheimnis wird sofort abgelehnt. Das neue gilt weiter.";
    DISABLE: "Disable", "Deaktivieren";
    DISABLE_KEY: "Disable {name}", "{name} deaktivieren";
    DISABLE_LEAD: "Every request with this key is refused until it is enabled again.", "Jede Anfrage mit diesem Schlüssel wird abgelehnt, bis er wieder aktiviert wird.";
    ENABLE: "Enable", "Aktivieren";
    ENABLE_KEY: "Enable {name}", "{name} aktivieren";
    ENABLE_LEAD: "Requests with this key work again.", "Anfragen mit diesem Schlüssel werden wieder angenommen.";
    REVOKE: "Revoke", "Widerrufen";
    REVOKE_KEY: "Revoke {name}", "{name} widerrufen";
    REVOKE_LEAD: "Systems that use it lose access at once. The key stays in the list as revoked. This cannot be undone.",
        "Systeme, die ihn benutzen, verlieren sofort den Zugang. Der Schlüssel bleibt als widerrufen in der Liste. Das lässt sich nicht rückgängig machen.";
    DELETE: "Delete", "Löschen";
    DELETE_KEY: "Delete {name}", "{name} löschen";
    DELETE_LEAD: "Systems that use it lose access at once, and the key leaves the list. This cannot be undone.",
        "Systeme, die ihn benutzen, verlieren sofort den Zugang, und der Schlüssel verschwindet aus der Liste. Das lässt sich nicht rückgängig machen.";
    CHECK_FIRST: "Check first:", "Prüfen Sie zuerst:";
    CHECK_NOT_NEEDED: "The key is no longer needed.", "Der Schlüssel wird nicht mehr gebraucht.";
    CHECK_REPLACED: "If a system still needs access, its replacement is in use.", "Braucht ein System noch Zugang, ist der Ersatz in Benutzung.";
    CHECK_ASKED: "The people who run the systems with this key were asked.", "Die Verantwortlichen der Systeme mit diesem Schlüssel wurden gefragt.";
    CHECK_ASKED_CONTACT: "The technical contact was asked: {contact}.", "Der technische Kontakt wurde gefragt: {contact}.";
    NOT_SURE: "Not sure?", "Nicht sicher?";
    DISABLE_INSTEAD: "Disable it first. You can enable it again.", "Deaktivieren Sie ihn zuerst. Sie können ihn wieder aktivieren.";
    TYPE_NAME: "This key was used within the last 24 hours. Type its name to go on: {name}", "Dieser Schlüssel wurde in den letzten 24 Stunden benutzt. Geben Sie zum Fortfahren seinen Namen ein: {name}";
    TRANSFER: "Hand over", "Übergeben";
    TRANSFER_KEY: "Hand over {name}", "{name} übergeben";
    TRANSFER_LEAD: "The key keeps its secret, and gets another owner. It belongs to {owner} now.", "Der Schlüssel behält sein Geheimnis und bekommt einen anderen Inhaber. Jetzt gehört er: {owner}.";
    NEW_OWNER: "New owner", "Neuer Inhaber";
    CHOOSE_OWNER: "Choose", "Auswählen";
    OR_USER: "Or a user", "Oder eine Person";
    USER_HINT: "The id of the user. For a service account that is not in the list, write account: and its id.", "Die ID der Person. Für ein Dienstkonto, das nicht in der Liste steht, schreiben Sie account: und dessen ID.";

    SAVED: "The change is saved.", "Die Änderung ist gespeichert.";
    HANDED_OVER: "The key is handed over to its new owner.", "Der Schlüssel ist dem neuen Inhaber übergeben.";
    DISABLED: "It is disabled.", "Die Deaktivierung ist gespeichert.";
    ENABLED: "It is enabled.", "Die Aktivierung ist gespeichert.";
    FINISHED: "The old secret is refused from now on.", "Das alte Geheimnis wird ab jetzt abgelehnt.";
    REVOKED: "The key is revoked.", "Der Schlüssel ist widerrufen.";
    DELETED: "The key is deleted.", "Der Schlüssel ist gelöscht.";
    ACCOUNT_DELETED: "The service account and its keys are deleted.", "Das Dienstkonto und seine Schlüssel sind gelöscht.";
}
