//! The texts of refused requests and of faults in forms.

use super::{Entry, Text, texts};

texts! {
    ERROR_PREFIX: "Error:", "Fehler:";
    ERRORS_TITLE: "There is a problem", "Es gibt ein Problem";
    NOT_DONE: "Nothing was changed", "Nichts wurde geändert";
    LOGIN: "Log in", "Anmelden";
    LOGIN_REQUIRED: "Log in to manage your keys.", "Melden Sie sich an, um Ihre Schlüssel zu verwalten.";
    CROSS_SITE: "The request came from another page, so nothing was changed. Open this page in its own tab and try again.",
        "Die Anfrage kam von einer fremden Seite, daher wurde nichts geändert. Öffnen Sie diese Seite in einem eigenen Tab und versuchen Sie es noch einmal.";
    FORM_TOO_LARGE: "The form is too large.", "Das Formular ist zu groß.";
    NOT_A_FORM: "The request is not a form of this page.", "Die Anfrage ist kein Formular dieser Seite.";
    NOT_FOUND: "Not found", "Nicht gefunden";
    NOT_FOUND_TEXT: "There is nothing here. It may have been deleted, or it belongs to someone else.", "Hier ist nichts. Vielleicht wurde es gelöscht, oder es gehört jemand anderem.";
    FORBIDDEN: "No access", "Kein Zugang";
    FORBIDDEN_TEXT: "You don't have the permission for this.", "Ihnen fehlt dafür die Berechtigung.";
    CONFIRM_LOGIN: "Confirm your login first, then send the form again.", "Bestätigen Sie zuerst Ihre Anmeldung, und senden Sie das Formular dann noch einmal.";
    STALE: "Changed in the meantime", "Inzwischen geändert";
    STALE_TEXT: "Another change was saved after you opened this form. Your change was not saved. Open the form again.",
        "Nach dem Öffnen dieses Formulars wurde eine andere Änderung gespeichert. Ihre Änderung wurde nicht gespeichert. Öffnen Sie das Formular noch einmal.";
    STALE_BOTH: "Other values were saved after you opened this form. Your values are below and not saved yet: check them, and save again.",
        "Seit Sie das Formular geöffnet haben, wurden andere Werte gespeichert. Ihre Werte stehen unten und sind noch nicht gespeichert: Prüfen Sie sie, und speichern Sie noch einmal.";
    FIELD: "Field", "Feld";
    STORED_VALUE: "Saved value", "Gespeicherter Wert";
    YOUR_VALUE: "Your value", "Ihr Wert";
    BOX_CHECKED: "Yes", "Ja";
    BOX_UNCHECKED: "No", "Nein";
    SENT_ALREADY: "This form was sent already", "Dieses Formular wurde schon gesendet";
    SENT_ALREADY_TEXT: "No second key was generated. The key exists, and its secret was shown then. If you did not store it, rotate the key.",
        "Es wurde kein zweiter Schlüssel erzeugt. Der Schlüssel existiert; sein Geheimnis wurde damals angezeigt. Haben Sie es nicht gespeichert, rotieren Sie den Schlüssel.";
    OPEN_THE_KEY: "Open the key", "Schlüssel öffnen";
    ROTATED_SINCE_TEXT: "The key was changed or rotated since you opened the form, perhaps by this form itself. Nothing was changed now, and the secret is not shown again.",
        "Der Schlüssel wurde geändert oder rotiert, seit Sie das Formular geöffnet haben, vielleicht durch dieses Formular selbst. Jetzt wurde nichts geändert, und das Geheimnis wird nicht noch einmal angezeigt.";
    ROTATED_MEANWHILE: "The key was rotated again since you opened this form, so another secret is the old one now. Check whether it is still used, then send the form again.",
        "Der Schlüssel wurde noch einmal rotiert, seit Sie dieses Formular geöffnet haben; das alte Geheimnis ist jetzt ein anderes. Prüfen Sie, ob es noch benutzt wird, und senden Sie das Formular dann noch einmal.";
    ROTATE_AGAIN: "Rotate again", "Noch einmal rotieren";
    BUSY: "Try again", "Bitte versuchen Sie es noch einmal";
    BUSY_TEXT: "Nothing was changed. Go back and try again.", "Nichts wurde geändert. Gehen Sie zurück, und versuchen Sie es noch einmal.";
    UNAVAILABLE: "The service is not available", "Der Dienst ist nicht erreichbar";
    UNAVAILABLE_TEXT: "The keys could not be read. They still exist.", "Die Schlüssel konnten nicht gelesen werden. Es gibt sie noch.";
    FATE_UNKNOWN: "The change may have been made or not. Look at the keys before you try again.", "Die Änderung wurde vielleicht ausgeführt, vielleicht nicht. Sehen Sie nach, bevor Sie es noch einmal versuchen.";
    LOST_ANSWER_TEXT: "The key may exist, but its secret was never shown. If you find it in the list, rotate or delete it.",
        "Der Schlüssel existiert vielleicht, aber sein Geheimnis wurde nie angezeigt. Finden Sie ihn in der Liste, rotieren oder löschen Sie ihn.";
    LOOK_FOR_THE_KEY: "Look for keys with the name {name}", "Nach Schlüsseln mit dem Namen {name} suchen";
    TRY_AGAIN: "Try again", "Noch einmal versuchen";

    NAME_EMPTY: "Enter a name.", "Geben Sie einen Namen ein.";
    NAME_TOO_LONG: "The name must have at most {max} characters. It has {got}.", "Der Name darf höchstens {max} Zeichen haben. Er hat {got}.";
    NAME_INVISIBLE: "The name must not have invisible or control characters.", "Der Name darf keine unsichtbaren Zeichen oder Steuerzeichen haben.";
    NAME_LIKE_EMAIL: "The name looks like an e-mail address. Name a purpose, not a person.", "Der Name sieht wie eine E-Mail-Adresse aus. Benennen Sie einen Zweck, keine Person.";
    NAME_LIKE_TOKEN: "The name looks like a key. Names are shown in logs, so choose another.", "Der Name sieht wie ein Schlüssel aus. Namen stehen in Protokollen; wählen Sie einen anderen.";
    NAME_PATTERN: "The name must be at least two words of a-z and 0-9 with hyphens between, such as {example}.", "Der Name muss aus mindestens zwei Wörtern aus a-z und 0-9 mit Bindestrichen bestehen, zum Beispiel {example}.";
    NAME_PATTERN_FIRST: "The name must begin with one of {environments} and a hyphen, in lower case, such as {example}.", "Der Name muss mit einer dieser Umgebungen und einem Bindestrich beginnen, in Kleinbuchstaben: {environments}. Beispiel: {example}.";
    NO_NAME_FITS: "No name is possible: the rule of the plan and the rule of the settings exclude each other.", "Kein Name ist möglich: Die Regel des Tarifs und die der Einstellungen schließen einander aus.";
    NOTE_TOO_LONG: "The text must have at most {max} characters. It has {got}.", "Der Text darf höchstens {max} Zeichen haben. Er hat {got}.";
    NOTE_INVISIBLE: "The text must not have invisible or control characters.", "Der Text darf keine unsichtbaren Zeichen oder Steuerzeichen haben.";
    FIELD_REQUIRED: "Fill in the field {field}.", "Füllen Sie das Feld {field} aus.";
    FIELD_LIKE_TOKEN: "The value of {field} looks like a key. The page shows this value, so enter another one.", "Der Wert von {field} sieht wie ein Schlüssel aus. Die Seite zeigt diesen Wert an; geben Sie einen anderen ein.";
    METADATA_INVALID: "A value must have at most {max} characters, without control characters.", "Ein Wert darf höchstens {max} Zeichen haben und keine Steuerzeichen.";
    SCOPES_INVALID: "Choose scopes of the list.", "Wählen Sie Rechte aus der Liste.";
    SCOPE_OUTSIDE_CEILING: "Keys of this owner cannot have the scope {scope}.", "Schlüssel dieses Inhabers können das Recht {scope} nicht haben.";
    SET_BY_ADMINISTRATOR: "An administrator limited this to {bound}. You can narrow the limit, but not widen it.", "Die Administration hat dies auf {bound} begrenzt. Sie können die Grenze enger, aber nicht weiter ziehen.";
    NETWORK_INVALID: "{network} is not an address or a network. Write it like 203.0.113.7 or 203.0.113.0/24.", "{network} ist keine Adresse und kein Netz. Schreiben Sie es wie 203.0.113.7 oder 203.0.113.0/24.";
    TOO_MANY_NETWORKS: "A key can have at most {max} networks.", "Ein Schlüssel kann höchstens {max} Netze haben.";
    RATE_INVALID: "Write the rate like 100/60s: 100 uses in 60 seconds.", "Schreiben Sie die Rate wie 100/60s: 100 Benutzungen in 60 Sekunden.";
    RATE_ABOVE_LIMIT: "The rate must be at most {limit}.", "Die Rate darf höchstens {limit} sein.";
    EXPIRY_REQUIRED: "Choose an expiry. Your organization requires one.", "Wählen Sie einen Ablauf. Ihre Organisation verlangt einen.";
    EXPIRY_PASSED: "The expiry must be in the future. {time} has passed.", "Der Ablauf muss in der Zukunft liegen. {time} ist vorbei.";
    ZERO_LIFETIME: "The lifetime must be longer than zero.", "Die Laufzeit muss länger als null sein.";
    LIFETIME_OVERFLOW: "The expiry must be before the year 10000.", "Der Ablauf muss vor dem Jahr 10000 liegen.";
    LIFETIME_TOO_LONG: "The key must expire within {max}, as your organization requires.", "Die längste Laufzeit ist {max}; so verlangt es Ihre Organisation.";
    NEVER_VALID: "The key would expire at {time}, before it becomes valid.", "Der Schlüssel würde am {time} ablaufen, bevor er gültig wird.";
    DATE_WITHOUT_CHOICE: "Choose \"On a date\" to use the date, or clear it.", "Wählen Sie \"An einem Datum\", um das Datum zu nutzen, oder löschen Sie das Datum.";
    DATE_REQUIRED: "Enter a date.", "Geben Sie ein Datum ein.";
    DATE_INVALID: "Write the date as year-month-day, such as 2027-01-31. \"{got}\" is not a date.", "Schreiben Sie das Datum als Jahr-Monat-Tag, zum Beispiel 2027-01-31. \"{got}\" ist kein Datum.";
    DAYS_INVALID: "Enter a whole number of days, from 1. \"{got}\" is not a whole number of days.", "Geben Sie eine ganze Zahl von Tagen ab 1 ein. \"{got}\" ist keine ganze Zahl von Tagen.";
    DAYS_REQUIRED: "Enter the lifetime in days.", "Geben Sie die Laufzeit in Tagen ein.";
    DAYS_WITHOUT_BOX: "Check the box to use the lifetime, or clear the days.", "Haken Sie das Kästchen an, um die Laufzeit zu nutzen, oder löschen Sie die Tage.";
    OVERLAP_REQUIRED: "Choose how long the old secret works.", "Wählen Sie, wie lange das alte Geheimnis gilt.";
    OVERLAP_TOO_LONG: "The old secret can work for at most {max}.", "Das alte Geheimnis kann höchstens {max} gelten.";
    OVERLAP_WHILE_DISABLED: "The old secret of a disabled key ends at once.", "Das alte Geheimnis eines deaktivierten Schlüssels endet sofort.";
    HOURS_WITHOUT_CHOICE: "Choose \"Another time\" to use the hours, or clear them.", "Wählen Sie \"Eine andere Zeit\", um die Stunden zu nutzen, oder löschen Sie die Stunden.";
    HOURS_REQUIRED: "Enter the number of hours.", "Geben Sie die Zahl der Stunden ein.";
    HOURS_INVALID: "Enter a whole number of hours. \"{got}\" is not a whole number.", "Geben Sie eine ganze Zahl von Stunden ein. \"{got}\" ist keine ganze Zahl.";
    WRONG_STATUS: "This is not possible. The status of the key: {status}.", "Das ist nicht möglich. Der Status des Schlüssels: {status}.";
    FIELDS_FIXED: "Scopes, networks and rate can no longer be changed. The status of the key: {status}. Open the form again to change the other fields.", "Rechte, Netze und Rate lassen sich nicht mehr ändern. Der Status des Schlüssels: {status}. Öffnen Sie das Formular noch einmal, um die übrigen Felder zu ändern.";
    TYPED_NAME_WRONG: "Type the name exactly: {name}", "Geben Sie den Namen genau ein: {name}";
    OWNER_UNKNOWN: "There is no such owner.", "Diesen Inhaber gibt es nicht.";
    USER_UNKNOWN: "No user with the id {id} is known. Check the id. To hand over to it anyway, send the form again.", "Zur ID {id} ist keine Person bekannt. Prüfen Sie die ID. Um trotzdem an sie zu übergeben, senden Sie das Formular noch einmal.";
    OWNER_REQUIRED: "Choose the new owner.", "Wählen Sie den neuen Inhaber.";
    ONE_OWNER: "Choose an owner from the list or name a user, not both.", "Wählen Sie einen Inhaber aus der Liste oder nennen Sie eine Person, nicht beides.";
    NO_SCOPE_LEFT: "Keys of the new owner can have none of the scopes of this key. Change the scopes first.", "Schlüssel des neuen Inhabers können keines der Rechte dieses Schlüssels haben. Ändern Sie zuerst die Rechte.";
    NEW_OWNER_FULL: "The new owner already has {limit} live keys, the limit.", "Der neue Inhaber hat schon {limit} laufende Schlüssel, die Höchstzahl.";
    ACCOUNT_NOT_FOUND: "There is no such service account.", "Dieses Dienstkonto gibt es nicht.";
    ACCOUNT_IS_DISABLED: "The service account is disabled. Enable it first.", "Das Dienstkonto ist deaktiviert. Aktivieren Sie es zuerst.";
    USER_IS_SUSPENDED: "The user {user} is suspended.", "Die Person {user} ist gesperrt.";
    UNKNOWN_ROLE: "There is no role {role}. Choose one of the list.", "Es gibt keine Rolle {role}. Wählen Sie eine aus der Liste.";
    SETTING_OUT_OF_BOUNDS: "The value is not allowed. The bound is {bound}.", "Der Wert ist nicht erlaubt. Die Grenze ist {bound}.";
}
