//! Q5 and Q6: the fields, filters and orders of a listing, and the five statuses.

use keywright::store::{Cursor, KeyQuery, KeySort};
use keywright::{KeyEntry, KeyId, KeyStatus, Name, NewKey, Reason};

use common::{DAY, HOUR, MOMENT, TestResult, World};

#[common::test(each_store)]
async fn q5_listing_has_name_owner_times_and_status(world: &World) -> TestResult {
    let created = world.now();
    let expires = world.later(90 * DAY);
    let new = NewKey::named("prod-main-app")?.expires_at(expires);
    let issued = world.generate(new).await?;
    world.clock.advance(HOUR);
    let name = Name::new("prod-other-app")?;
    world.authority.rename(&world.alice, &issued.key.id, name.clone()).await?;
    let page = world.authority.keys(&world.admin, &KeyQuery::new()).await?;
    let [entry] = page.items.as_slice() else { panic!("{page:?}") };
    let key = &entry.key;
    assert_eq!((&key.name, key.id, &key.owner), (&name, issued.key.id, &world.alice.as_owner()));
    assert_eq!(
        (key.created_at, key.updated_at, key.expires_at),
        (created, world.now(), Some(expires))
    );
    assert_eq!(entry.status, KeyStatus::Active);
    Ok(())
}

#[common::test(each_store)]
async fn q5_search_matches_name_id_and_owner(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let main = world.generate(NewKey::named("prod-Main-app")?).await?.key.id;
    let bob = common::developer("bob-miller");
    let other = world.generate_for(&bob, NewKey::named("staging-api")?).await?.key.id;
    let job = world.generate_under(&account, NewKey::named("prod-job")?).await?.key.id;
    let found = |text: String| search(world, KeyQuery::new().search(text));
    assert_eq!(found("main-APP".into()).await?, [main]);
    assert_eq!(found("staging-".into()).await?, [other]);
    assert_eq!(found("prod-".into()).await?, sorted([main, job]));
    for id in [main, other, job] {
        assert_eq!(found(id.to_string()).await?, [id]);
        assert_eq!(found(id.as_str()[3..].to_lowercase()).await?, [id]);
    }
    assert_eq!(found("ALICE".into()).await?, [main]);
    assert_eq!(found("BOB-M".into()).await?, [other]);
    assert_eq!(found(account.id.to_string()).await?, [job]);
    assert_eq!(found("nothing of this name".into()).await?, []);
    let narrowed = KeyQuery::new().search("prod").owner(world.alice.as_owner());
    assert_eq!(search(world, narrowed).await?, [main]);
    Ok(())
}

#[common::test(each_store)]
async fn q5_pages_show_each_key_once(world: &World) -> TestResult {
    use KeySort::{Created, Expires, LastUsed, Name, Updated};
    let mut made = Vec::new();
    for number in 0..10 {
        let new = NewKey::named(format!("prod-{}", number % 3))?.expires_in_days(1 + number % 4);
        let issued = world.generate(new).await?;
        if number % 4 > 0 {
            world.verifier.verify(issued.token.expose()).await?;
        }
        made.push(issued.key.id);
        world.clock.advance(HOUR * (number % 2));
    }
    world.authority.disable(&world.alice, &made[0]).await?;
    world.verifier.flush().await?;
    for sort in [Created, Updated, Name, Expires, LastUsed] {
        for descending in [false, true] {
            let query = KeyQuery::new().sort(sort).limit(3);
            let mut query = if descending { query.descending() } else { query };
            let mut shown = Vec::new();
            loop {
                let page = world.authority.keys(&world.alice, &query).await?;
                shown.extend(page.items);
                let Some(next) = page.next else { break };
                // The cursor makes the round trip to the client as text.
                let cursor = next.cursor().ok_or("a next page has a cursor")?;
                query = query.after(&cursor.to_string().parse::<Cursor>()?)?;
            }
            assert_eq!(sorted(ids(&shown)), sorted(made.iter().copied()), "{sort:?}");
            if descending {
                shown.reverse();
            }
            let by = |entry: &KeyEntry| match sort {
                Created => (Some(entry.key.created_at), String::new()),
                Updated => (Some(entry.key.updated_at), String::new()),
                Name => (None, entry.key.name.to_string()),
                Expires => (entry.key.expires_at, String::new()),
                LastUsed => (entry.last_used_at, String::new()),
            };
            assert!(shown.is_sorted_by_key(by), "{sort:?}, descending {descending}");
        }
    }
    Ok(())
}

#[common::test(each_store)]
async fn q6_key_has_one_of_five_statuses(world: &World) -> TestResult {
    let (authority, alice) = (&world.authority, &world.alice);
    let begin = world.later(DAY);
    let new = NewKey::named("prod-main-app")?.not_before(begin).expires_in_days(2);
    let issued = world.generate(new).await?;
    let id = &issued.key.id;
    assert_eq!(world.status(id).await?, KeyStatus::Scheduled);
    assert_eq!(world.check(&issued).await, Err(Reason::NotYetValid));
    world.clock.set(begin.saturating_sub(MOMENT));
    assert_eq!(world.status(id).await?, KeyStatus::Scheduled);
    world.clock.set(begin);
    assert_eq!(world.status(id).await?, KeyStatus::Active);
    assert_eq!(world.check(&issued).await, Ok(()));
    authority.disable(alice, id).await?;
    assert_eq!(world.status(id).await?, KeyStatus::Disabled);
    // A disabled key expires too, and an earlier revocation takes precedence.
    world.clock.advance(DAY);
    assert_eq!(world.status(id).await?, KeyStatus::Expired);
    assert_eq!(world.check(&issued).await, Err(Reason::Expired));
    let other = world.generate(NewKey::named("prod-other")?.expires_in_days(1)).await?;
    authority.revoke(alice, &other.key.id).await?;
    assert_eq!(world.status(&other.key.id).await?, KeyStatus::Revoked);
    world.clock.advance(DAY);
    assert_eq!(world.status(&other.key.id).await?, KeyStatus::Revoked);
    let names = KeyStatus::ALL.map(KeyStatus::as_str);
    assert_eq!(names, ["active", "scheduled", "disabled", "expired", "revoked"]);
    Ok(())
}

#[common::test(each_store)]
async fn q6_listing_filters_by_status(world: &World) -> TestResult {
    let mut made = Vec::new();
    for status in KeyStatus::ALL {
        made.push((status, world.generate_in(status).await?.key.id));
    }
    for (status, id) in &made {
        assert_eq!(search(world, KeyQuery::new().status(*status)).await?, [*id], "{status}");
    }
    let live = made.iter().filter(|(status, _)| status.is_live());
    let query = live.clone().fold(KeyQuery::new(), |query, (status, _)| query.status(*status));
    assert_eq!(search(world, query).await?, sorted(live.map(|(_, id)| *id)));
    Ok(())
}

pub(crate) fn ids(entries: &[KeyEntry]) -> Vec<KeyId> {
    entries.iter().map(|entry| entry.key.id).collect()
}

/// Returns the ids that an administrator's query finds, sorted.
async fn search(world: &World, query: KeyQuery) -> TestResult<Vec<KeyId>> {
    Ok(sorted(ids(&world.authority.keys(&world.admin, &query).await?.items)))
}

pub(crate) fn sorted(ids: impl IntoIterator<Item = KeyId>) -> Vec<KeyId> {
    let mut ids: Vec<_> = ids.into_iter().collect();
    ids.sort_unstable();
    ids
}
