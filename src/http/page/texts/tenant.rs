//! The texts of the keys of a tenant, and of the operations on many keys at once.

use super::{Entry, Text, texts};

texts! {
    ALL_KEYS_LEAD: "The keys of all users, of the service accounts and of the organization.", "Die Schlüssel aller Personen, der Dienstkonten und der Organisation.";
    EXPIRING_WITHIN: "Expires within", "Läuft ab (Zeitraum)";
    ANY_EXPIRY: "Any time", "Beliebig";
    NEVER_USED: "Never used", "Nie benutzt";
    SORT_CHANGED: "Last changed first", "Zuletzt geänderte zuerst";
    OWNER_KIND: "Owned by", "Inhaber sind";
    ANY_OWNER: "Any owner", "Beliebige";
    OWNED_BY_USERS: "Users", "Personen";
    OWNED_BY_ACCOUNTS: "Service accounts", "Dienstkonten";
    ALL_OWNERS: "Show the keys of all owners", "Schlüssel aller Inhaber anzeigen";
    SHOW_THE_ACCOUNT: "Show the service account", "Dienstkonto anzeigen";

    SELECT_ALL: "Select all keys on this page", "Alle Schlüssel dieser Seite auswählen";
    SELECTED: "Selected: {count}", "Ausgewählt: {count}";
    REVOKE_SELECTED: "Revoke selected keys", "Ausgewählte Schlüssel widerrufen";
    REVOKE_KEYS: "Revoke 1 key|Revoke {count} keys", "1 Schlüssel widerrufen|{count} Schlüssel widerrufen";
    REVOKE_KEYS_LEAD: "Systems that use these keys lose access at once. This cannot be undone.",
        "Systeme, die diese Schlüssel benutzen, verlieren sofort den Zugang. Das lässt sich nicht rückgängig machen.";
    NONE_SELECTED: "No key is selected", "Kein Schlüssel ist ausgewählt";
    NONE_SELECTED_TEXT: "Select the keys in the list first.", "Wählen Sie zuerst die Schlüssel in der Liste aus.";
    TOO_MANY_SELECTED: "At most {max} keys can be revoked at once. {got} are selected.",
        "Höchstens {max} Schlüssel lassen sich auf einmal widerrufen. {got} sind ausgewählt.";
    LEFT_OUT: "1 selected key was not found, and is left out.|{count} selected keys were not found, and are left out.",
        "1 ausgewählter Schlüssel wurde nicht gefunden und wird ausgelassen.|{count} ausgewählte Schlüssel wurden nicht gefunden und werden ausgelassen.";
    TYPE_COUNT: "Type the number of keys to go on: {keys}", "Geben Sie zum Fortfahren die Zahl der Schlüssel ein: {keys}";
    TYPE_COUNT_RECENT: "1 of these keys was used within the last 24 hours. Type the number of keys to go on: {keys}|{count} of these keys were used within the last 24 hours. Type the number of keys to go on: {keys}",
        "1 dieser Schlüssel wurde in den letzten 24 Stunden benutzt. Geben Sie zum Fortfahren die Zahl der Schlüssel ein: {keys}|{count} dieser Schlüssel wurden in den letzten 24 Stunden benutzt. Geben Sie zum Fortfahren die Zahl der Schlüssel ein: {keys}";
    TYPED_COUNT_WRONG: "Type the number {keys}.", "Geben Sie die Zahl {keys} ein.";
    REVOKE_RESULT: "Result of the revocation", "Ergebnis des Widerrufs";
    REVOKED_NOW: "1 key was revoked.|{count} keys were revoked.", "1 Schlüssel wurde widerrufen.|{count} Schlüssel wurden widerrufen.";
    EFFECT: "Effect", "Wirkung";
    RESULT: "Result", "Ergebnis";
    RESULT_REVOKED: "Revoked", "Widerrufen";
    RESULT_ALREADY: "Already revoked", "Bereits widerrufen";
    RESULT_NOT_FOUND: "Not possible: there is no such key", "Nicht möglich: Diesen Schlüssel gibt es nicht";
    RESULT_FORBIDDEN: "Not possible: you don't have the permission", "Nicht möglich: Ihnen fehlt die Berechtigung";
    RESULT_STATUS: "Not possible: the status is {status}", "Nicht möglich: Der Status ist {status}";
    RESULT_BUSY: "Not revoked: try again", "Nicht widerrufen: Versuchen Sie es noch einmal";
    RESULT_UNKNOWN: "Perhaps revoked: the service failed. Look at the key before you try again",
        "Vielleicht widerrufen: Der Dienst ist ausgefallen. Sehen Sie sich den Schlüssel an, bevor Sie es noch einmal versuchen";
    WILL_BE_REVOKED: "Will be revoked", "Wird widerrufen";

    KEYS_OF_OWNER: "Owner: {owner}", "Inhaber: {owner}";
    SUSPENDED_TEXT: "This user is suspended. Every request with a key of this user is refused.",
        "Diese Person ist gesperrt. Jede Anfrage mit einem ihrer Schlüssel wird abgelehnt.";
    SUSPEND: "Suspend the user", "Person sperren";
    SUSPEND_TITLE: "Suspend {owner}", "{owner} sperren";
    SUSPEND_LEAD: "Every request with a key of this user is refused until the user is restored. The keys stay as they are.",
        "Jede Anfrage mit einem Schlüssel dieser Person wird abgelehnt, bis die Sperre aufgehoben wird. Die Schlüssel bleiben, wie sie sind.";
    RESTORE: "Restore the user", "Sperre aufheben";
    RESTORE_TITLE: "Restore {owner}", "Sperre von {owner} aufheben";
    RESTORE_LEAD: "The keys of this user work again, each in its own status.", "Die Schlüssel dieser Person gelten wieder, jeder mit seinem eigenen Status.";
    REVOKE_OWNED: "Revoke all keys", "Alle Schlüssel widerrufen";
    REVOKE_OWNED_TITLE: "Revoke all keys: {owner}", "Alle Schlüssel widerrufen: {owner}";
    REVOKE_OWNED_LEAD: "Systems that use a live key of this owner lose access at once. This cannot be undone.",
        "Systeme, die einen laufenden Schlüssel dieses Inhabers benutzen, verlieren sofort den Zugang. Das lässt sich nicht rückgängig machen.";
    SUSPEND_INSTEAD: "Suspend the user first. You can restore the user.", "Sperren Sie die Person zuerst. Sie können die Sperre aufheben.";
    TRANSFER_OWNED: "Hand over all keys", "Alle Schlüssel übergeben";
    TRANSFER_OWNED_TITLE: "Hand over all keys: {owner}", "Alle Schlüssel übergeben: {owner}";
    TRANSFER_OWNED_LEAD: "The live keys keep their secrets, and get another owner. Expired and revoked keys stay.",
        "Die laufenden Schlüssel behalten ihre Geheimnisse und bekommen einen anderen Inhaber. Abgelaufene und widerrufene Schlüssel bleiben.";
    TYPE_OWNER: "Type the id of the owner to go on: {id}", "Geben Sie zum Fortfahren die ID des Inhabers ein: {id}";
    TYPED_OWNER_WRONG: "Type the id exactly: {id}", "Geben Sie die ID genau ein: {id}";
    OWNER_HAS_MORE_KEYS: "The owner has more keys than when you opened this form. Check the number here, then send the form again.",
        "Der Inhaber hat mehr Schlüssel als beim Öffnen dieses Formulars. Prüfen Sie die Zahl hier, und senden Sie das Formular dann noch einmal.";
    USER_SUSPENDED: "The user is suspended.", "Die Person ist gesperrt.";
    USER_RESTORED: "The user is restored.", "Die Sperre ist aufgehoben.";
    OWNED_REVOKED: "The live keys of this owner are revoked.", "Die laufenden Schlüssel dieses Inhabers sind widerrufen.";
    OWNED_HANDED_OVER: "The live keys of this owner are handed over to their new owner.", "Die laufenden Schlüssel dieses Inhabers sind dem neuen Inhaber übergeben.";
}
