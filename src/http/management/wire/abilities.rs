//! The view of the abilities of an actor.

use std::collections::BTreeMap;

use serde::Serialize;

use super::policy_views::{ScopeView, seconds};
use super::problem::{Problem, ProblemView};
use crate::authority::{Abilities, GenerateError, KeyChoices, KeyNumbers};
use crate::record::key::{Owner, OwnerKind};
use crate::record::operation::Operation;
use crate::value::name::NamePattern;
use crate::value::rate::Rate;
use crate::value::scope::{Access, Scope, ScopeSet};

/// A view of [`Abilities`]. Each obstacle is the problem that generating a key would answer with.
#[derive(Serialize)]
pub(crate) struct AbilitiesView {
    owner: Owner,
    operations: Vec<Operation>,
    operations_for_any: Vec<Operation>,
    owner_kinds: Vec<OwnerKind>,
    can_generate: bool,
    obstacles: Vec<ProblemView>,
    keys: Option<NumbersView>,
    choices: Option<ChoicesView>,
}

#[derive(Serialize)]
struct NumbersView {
    live: u64,
    max: Option<u16>,
    all: u64,
}

#[derive(Serialize)]
struct ChoicesView {
    scopes: BTreeMap<Scope, ScopeView>,
    default_scopes: ScopeSet,
    access: Access,
    never_expires: bool,
    default_lifetime: Option<u64>,
    max_lifetime: Option<u64>,
    max_overlap: u64,
    default_rate: Option<Rate>,
    max_rate: Option<Rate>,
    name_pattern: Option<NamePattern>,
}

impl From<Abilities> for AbilitiesView {
    fn from(abilities: Abilities) -> Self {
        let can_generate = abilities.can_generate();
        let Abilities {
            owner,
            operations,
            operations_for_any,
            owner_kinds,
            obstacles,
            keys,
            choices,
        } = abilities;
        let problem = |obstacle| Problem::from(GenerateError::from(obstacle)).view();
        Self {
            owner,
            operations,
            operations_for_any,
            owner_kinds,
            can_generate,
            obstacles: obstacles.into_iter().map(problem).collect(),
            keys: keys.map(|KeyNumbers { live, max, all }| NumbersView { live, max, all }),
            choices: choices.map(ChoicesView::from),
        }
    }
}

impl From<KeyChoices> for ChoicesView {
    fn from(choices: KeyChoices) -> Self {
        let KeyChoices {
            scopes,
            default_scopes,
            access,
            never_expires,
            default_lifetime,
            max_lifetime,
            max_overlap,
            default_rate,
            max_rate,
            name_pattern,
        } = choices;
        Self {
            scopes: scopes.into_iter().map(|(name, scope)| (name, scope.into())).collect(),
            default_scopes,
            access,
            never_expires,
            default_lifetime: seconds(default_lifetime),
            max_lifetime: seconds(max_lifetime),
            max_overlap: max_overlap.as_secs(),
            default_rate,
            max_rate,
            name_pattern,
        }
    }
}
