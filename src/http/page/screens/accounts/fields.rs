//! The fields of a service account, which the forms of a new one and of an edit share.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::authority::ListError;
use crate::http::page::failure::Failure;
use crate::http::page::form::{Fault, Faults, Form};
use crate::http::page::texts::Text;
use crate::http::page::typed;
use crate::http::page::view::fields::{Choice, Fields, Kind};
use crate::http::page::visit::Visit;
use crate::record::account::ServiceAccount;
use crate::record::role::{Role, RoleName};
use crate::value::name::Name;
use crate::value::redact::redact;
use crate::value::scope::Access;

/// The roles of the plan; `None` for an actor that may not see the plan, and types a name.
pub(super) type Roles = Option<BTreeMap<RoleName, Role>>;

/// Reads the roles of the plan.
pub(super) async fn roles(visit: &Visit) -> Result<Roles, Failure> {
    match visit.authority().policy(&visit.actor).await {
        Ok(policy) => Ok(Some(policy.plan.roles)),
        Err(ListError::PermissionDenied(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The values of the fields.
#[derive(Debug)]
pub(super) struct Values {
    pub(super) name: Name,
    pub(super) role: RoleName,
    pub(super) access: Access,
}

/// Parses the fields, or notes the faults.
pub(super) fn parse(form: &Form, faults: &mut Faults) -> Option<Values> {
    let name = faults.take(typed::name(form));
    let role = faults.take(role(form));
    let access = if form.has("read_only", "on") { Access::ReadOnly } else { Access::ReadWrite };
    Some(Values { name: name?, role: role?, access })
}

fn role(form: &Form) -> Result<RoleName, Fault> {
    let given = form.given("role").ok_or_else(|| Fault::new("role", Text::ROLE_REQUIRED))?;
    given.parse().map_err(|_| Fault::new("role", Text::UNKNOWN_ROLE.with("role", redact(given))))
}

/// Returns the form with the values of an account.
pub(super) fn values(account: &ServiceAccount) -> Form {
    let read_only = if account.access == Access::ReadOnly { "on" } else { "" };
    Form::default()
        .with("name", &account.name)
        .with("role", &account.role)
        .with("read_only", read_only)
        .with("version", account.version)
}

/// Returns the fields.
pub(super) fn fields(visit: &Visit, fields: Fields<'_>, roles: &Roles) -> Markup {
    let hint = |text: Text| Some(html! { (visit.say(text)) });
    html! {
        (fields.input(Kind::Line, "name", Text::NAME, hint(Text::ACCOUNT_NAME_HINT)))
        @match roles {
            Some(roles) => (fields.radios("role", Text::ROLE, hint(Text::ROLE_HINT), &choices(visit, fields, roles))),
            None => (fields.input(Kind::Line, "role", Text::ROLE, hint(Text::ROLE_NAME_HINT))),
        }
        (fields.check("read_only", Text::READ_ONLY_FIELD, hint(Text::READ_ONLY_HINT)))
    }
}

/// Returns the roles of the plan, and the one of the form if the plan has lost it.
fn choices(visit: &Visit, fields: Fields<'_>, roles: &BTreeMap<RoleName, Role>) -> Vec<Choice> {
    let mut choices: Vec<_> = roles
        .iter()
        .map(|(name, role)| {
            let hint = html! {
                @if let Some(description) = &role.description { (description) br; }
                (visit.say(Text::ROLE_SCOPES.with("scopes", scopes(visit, role))))
            };
            Choice::new(name, name.as_str()).hint(hint)
        })
        .collect();
    let current = fields.values.value("role").parse::<RoleName>().ok();
    if let Some(lost) = current.filter(|role| !roles.contains_key(role)) {
        let hint = visit.say(Text::ROLE_NO_LONGER_IN_PLAN);
        choices.push(Choice::new(&lost, lost.as_str()).hint(hint));
    }
    choices
}

fn scopes(visit: &Visit, role: &Role) -> String {
    let scopes: Vec<_> = role.scopes.iter().map(ToString::to_string).collect();
    if scopes.is_empty() { visit.say(Text::NO_SCOPES) } else { scopes.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_faulty_field_is_named() {
        let mut faults = Faults::default();
        assert!(parse(&Form::default().with("name", " "), &mut faults).is_none());
        let fields: Vec<_> = faults.iter().map(|fault| &*fault.field).collect();
        assert_eq!(fields, ["name", "role"]);
    }

    #[test]
    fn unchecked_box_means_full_access() {
        let mut faults = Faults::default();
        let form = Form::default().with("name", "nightly").with("role", "analyst");
        let values = parse(&form, &mut faults);
        assert_eq!(values.map(|values| values.access), Some(Access::ReadWrite));
        let values = parse(&form.with("read_only", "on"), &mut faults);
        assert_eq!(values.map(|values| values.access), Some(Access::ReadOnly));
        assert!(faults.is_empty());
    }
}
