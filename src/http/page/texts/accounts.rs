//! The texts of service accounts.

use super::{Entry, Text, texts};

texts! {
    ACCOUNTS_LEAD: "A service account is a program, not a person. Its role decides for all its keys together.",
        "Ein Dienstkonto ist ein Programm, keine Person. Seine Rolle entscheidet über alle seine Schlüssel gemeinsam.";
    ACCOUNTS_FORBIDDEN: "Administrators manage the service accounts of your organization and their keys. You don't have the permission to see them.",
        "Die Administration verwaltet die Dienstkonten Ihrer Organisation und deren Schlüssel. Ihnen fehlt die Berechtigung, sie zu sehen.";
    ACCOUNTS_ONLY_SHOWN: "You can see the service accounts, but not change them.", "Sie können die Dienstkonten sehen, aber nicht ändern.";
    ACCOUNT_SEARCH: "Name, id or role", "Name, ID oder Rolle";
    NO_ACCOUNTS_YET: "There are no service accounts yet.", "Es gibt noch keine Dienstkonten.";
    NO_ACCOUNT_FOUND: "No service account matches the search.", "Kein Dienstkonto passt zur Suche.";
    BACK_TO_ACCOUNTS: "Back to the service accounts", "Zurück zu den Dienstkonten";

    ACCOUNT_ID: "Account ID", "Konto-ID";
    ROLE: "Role", "Rolle";
    ACCESS: "Access", "Zugriff";
    READ_ONLY: "Read-only", "Nur Lesen";
    READ_WRITE: "Read and write", "Lesen und Schreiben";
    ACCOUNT_SCOPES: "Scopes of its keys", "Rechte seiner Schlüssel";
    KEYS: "Keys", "Schlüssel";
    KEYS_OF_ACCOUNT: "Keys of {name}", "Schlüssel von {name}";
    NO_LIVE_KEYS: "The account has no live key.", "Das Konto hat keinen laufenden Schlüssel.";
    SHOW_ALL_KEYS: "Show its 1 key|Show all its {count} keys", "Seinen 1 Schlüssel anzeigen|Alle seine {count} Schlüssel anzeigen";
    EVENTS_OF_ACCOUNT: "Events of this account", "Ereignisse dieses Kontos";
    MANAGE_ACCOUNT: "Manage", "Verwalten";

    NEW_ACCOUNT: "Add service account", "Dienstkonto anlegen";
    ACCOUNT_NAME_HINT: "Name the program and its purpose, not a person.", "Benennen Sie das Programm und seinen Zweck, keine Person.";
    ROLE_HINT: "The role applies to all keys of the account.", "Die Rolle gilt für alle Schlüssel des Kontos.";
    ROLE_SCOPES: "Scopes: {scopes}.", "Rechte: {scopes}.";
    ROLE_NAME_HINT: "The name of a role in your plan. It applies to all keys of the account.", "Der Name einer Rolle in Ihrem Tarif. Sie gilt für alle Schlüssel des Kontos.";
    ROLE_NO_LONGER_IN_PLAN: "Your plan no longer has this role, so it allows nothing.", "Ihr Tarif hat diese Rolle nicht mehr; sie erlaubt daher nichts.";
    ROLE_REQUIRED: "Choose a role.", "Wählen Sie eine Rolle.";
    NO_ROLES: "Your plan has no roles, and each service account needs one.", "Ihr Tarif hat keine Rollen, und jedes Dienstkonto braucht eine.";
    READ_ONLY_FIELD: "Read-only access", "Nur Lesezugriff";
    READ_ONLY_HINT: "The keys of the account can never write, even if the role allows it.", "Die Schlüssel des Kontos können nie schreiben, auch wenn die Rolle es erlaubt.";
    ACCOUNT_MADE: "The service account is added. Generate a key for it next.", "Das Dienstkonto ist angelegt. Erzeugen Sie nun einen Schlüssel dafür.";

    EDIT_ACCOUNT: "Edit {name}", "{name} bearbeiten";
    CHANGES_KEYS: "Role and access change for 1 live key at once.|Role and access change for {count} live keys at once.",
        "Rolle und Zugriff ändern sich sofort für 1 laufenden Schlüssel.|Rolle und Zugriff ändern sich sofort für {count} laufende Schlüssel.";
    CHANGES_ALL_KEYS: "Role and access change for all keys of the account at once.", "Rolle und Zugriff ändern sich sofort für alle Schlüssel des Kontos.";
    DISABLE_ACCOUNT: "Disable {name}", "{name} deaktivieren";
    DISABLE_ACCOUNT_LEAD: "Every request with a key of this account is refused until the account is enabled again. The keys themselves do not change.",
        "Jede Anfrage mit einem Schlüssel dieses Kontos wird abgelehnt, bis das Konto wieder aktiviert wird. Die Schlüssel selbst ändern sich nicht.";
    LIVE_KEYS_OF_ACCOUNT: "The account has 1 live key.|The account has {count} live keys.", "Das Konto hat 1 laufenden Schlüssel.|Das Konto hat {count} laufende Schlüssel.";
    ENABLE_ACCOUNT: "Enable {name}", "{name} aktivieren";
    ENABLE_ACCOUNT_LEAD: "The keys of this account work again, each as it was. A key that was disabled by itself stays disabled.",
        "Die Schlüssel dieses Kontos gelten wieder, jeder wie zuvor. Ein einzeln deaktivierter Schlüssel bleibt deaktiviert.";

    DELETE_ACCOUNT: "Delete {name}", "{name} löschen";
    DELETE_ACCOUNT_LEAD: "The account is deleted together with all its keys. Systems that use them lose access at once. This cannot be undone.",
        "Das Konto wird mit allen seinen Schlüsseln gelöscht. Systeme, die sie benutzen, verlieren sofort den Zugang. Das lässt sich nicht rückgängig machen.";
    DELETES_KEYS: "1 key is deleted too:|{count} keys are deleted too:", "1 Schlüssel wird mit gelöscht:|{count} Schlüssel werden mit gelöscht:";
    AND_MORE: "and 1 more|and {count} more", "und 1 weiterer|und {count} weitere";
    TYPE_ACCOUNT_NAME: "Type the name of the account to go on: {name}", "Geben Sie zum Fortfahren den Namen des Kontos ein: {name}";
    DISABLE_ACCOUNT_INSTEAD: "Disable the account first. You can enable it again.", "Deaktivieren Sie das Konto zuerst. Sie können es wieder aktivieren.";
    HAS_MORE_KEYS: "The account has more keys than when you opened this form. Check again what is named here, then send it again.",
        "Das Konto hat mehr Schlüssel als beim Öffnen dieses Formulars. Prüfen Sie noch einmal, was hier genannt ist, und senden Sie es dann noch einmal.";

    REVOKE_ACCOUNT_KEYS: "Revoke all keys", "Alle Schlüssel widerrufen";
    REVOKE_KEYS_OF_ACCOUNT: "Revoke all keys of {name}", "Alle Schlüssel von {name} widerrufen";
    REVOKE_ACCOUNT_KEYS_LEAD: "Systems that use these keys lose access at once. This cannot be undone. The account stays, and can have new keys.",
        "Systeme, die diese Schlüssel benutzen, verlieren sofort den Zugang. Das lässt sich nicht rückgängig machen. Das Konto bleibt und kann neue Schlüssel haben.";
    REVOKES_KEYS: "1 live key is revoked:|{count} live keys are revoked:", "1 laufender Schlüssel wird widerrufen:|{count} laufende Schlüssel werden widerrufen:";
    ACCOUNT_KEYS_REVOKED: "All keys of the service account are revoked.", "Alle Schlüssel des Dienstkontos sind widerrufen.";
    TRANSFER_ACCOUNT_KEYS: "Hand over all keys", "Alle Schlüssel übergeben";
    TRANSFER_KEYS_OF_ACCOUNT: "Hand over all keys of {name}", "Alle Schlüssel von {name} übergeben";
    TRANSFER_ACCOUNT_KEYS_LEAD: "All live keys keep their secrets and get another owner in one step. Each keeps its scopes as far as keys of the new owner can have them. Revoked and expired keys stay with the account.",
        "Alle laufenden Schlüssel behalten ihr Geheimnis und bekommen in einem Schritt einen anderen Inhaber. Jeder behält seine Rechte, soweit Schlüssel des neuen Inhabers sie haben können. Widerrufene und abgelaufene Schlüssel bleiben beim Konto.";
    TRANSFERS_KEYS: "1 live key is handed over:|{count} live keys are handed over:", "1 laufender Schlüssel wird übergeben:|{count} laufende Schlüssel werden übergeben:";
    ACCOUNT_KEYS_HANDED_OVER: "The keys of the service account are handed over to their new owner.", "Die Schlüssel des Dienstkontos sind dem neuen Inhaber übergeben.";
}
