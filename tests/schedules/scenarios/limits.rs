//! Limits are exact in every order of the threads.

use std::sync::Mutex;

use shuttle::future::block_on;

use super::{Work, together};
use crate::authority::GenerateError;
use crate::record::edit::KeyEdit;
use crate::record::new_key::NewKey;
use crate::record::settings::SettingsEdit;
use crate::sync::Arc;
use crate::value::metadata::Metadata;
use crate::world::World;

pub(super) fn t_c07_rate_admits_exactly_its_number() {
    let world = World::new();
    let new = NewKey::named("prod-main-app").expect("a name");
    let issued = world.make(new.rate("3/60s".parse().expect("a rate")));
    let said = Arc::new(Mutex::new(Vec::new()));
    let ask = |_| {
        let (world, said) = (world.clone(), Arc::clone(&said));
        let token = issued.token.expose().to_owned();
        Box::new(move || {
            for _ in 0..2 {
                let answer = world.says(&token);
                said.lock().expect("no thread panics").push(answer);
            }
        }) as Work
    };
    let (editing, id) = (world.clone(), issued.key.id);
    let edit = move || {
        // A changed key keeps the spent part of its rate.
        let note = Metadata::new([("note", "changed")]).expect("metadata");
        let edited = editing.authority.edit(&editing.admin, &id, KeyEdit::new().metadata(note));
        block_on(edited).expect("it is edited");
    };
    together((0..3).map(ask).chain([Box::new(edit) as Work]));
    let said = said.lock().expect("no thread panics");
    let count = |what| said.iter().filter(|said| **said == what).count();
    assert_eq!((count("current"), count("rate_limited")), (3, 3));
}

pub(super) fn t_c06_limit_of_keys_holds_exactly() {
    let world = World::new();
    world.edit_settings(SettingsEdit::new().max_keys_per_user(Some(1)));
    let made = Arc::new(Mutex::new((0, 0)));
    let attempt = |_| {
        let (world, made) = (world.clone(), Arc::clone(&made));
        Box::new(move || {
            let new = NewKey::named("prod-main-app").expect("a name");
            let owner = world.admin.as_owner();
            let answer = block_on(world.authority.generate(&world.admin, new.owner(owner.clone())));
            let mut made = made.lock().expect("no thread panics");
            match answer {
                Ok(_) => made.0 += 1,
                Err(GenerateError::TooManyKeys { limit: 1 }) => made.1 += 1,
                Err(error) => panic!("{error:?}"),
            }
        }) as Work
    };
    together((0..3).map(attempt));
    assert_eq!(*made.lock().expect("no thread panics"), (1, 2));
}
