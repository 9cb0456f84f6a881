//! A10: the description and the contact of a key, and the filters that find keys by what people
//! wrote about them.

use std::error::Error;

use keywright::store::KeyQuery;
use keywright::{
    Contact, Description, EventDetails, KeyEdit, KeyError, KeyId, KeyStatus, Metadata, NewKey,
    NoteError, NoteField, OwnerKind,
};

use common::{MOMENT, TestResult, World};

const NEED: &str = "Sends invoices to the archive.\nRuns every night.";
const OPS: &str = "ops@example.com";

fn noted() -> Result<NewKey, Box<dyn Error>> {
    let new = NewKey::named("prod-main-app")?;
    Ok(new.description(Description::new(NEED)?).contact(Contact::new(OPS)?))
}

/// Returns the ids of the keys that a query finds, oldest first.
async fn found(world: &World, query: KeyQuery) -> TestResult<Vec<KeyId>> {
    let page = world.authority.keys(&world.admin, &query).await?;
    Ok(page.items.iter().map(|entry| entry.key.id).collect())
}

#[common::test(each_store)]
async fn a10_key_has_description_and_contact(world: &World) -> TestResult {
    let issued = world.generate(noted()?).await?;
    let plain = world.generate(NewKey::named("prod-main-app")?).await?;
    assert_eq!((&plain.key.description, &plain.key.contact), (&None, &None));
    let page = world.authority.keys(&world.alice, &KeyQuery::new()).await?;
    let entry = page.items.iter().find(|entry| entry.key.id == issued.key.id).ok_or("listed")?;
    assert_eq!(entry.key.description.as_ref().map(Description::as_str), Some(NEED));
    assert_eq!(entry.key.contact.as_ref().map(Contact::as_str), Some(OPS));
    let one = world.authority.key(&world.alice, &issued.key.id).await?;
    assert_eq!(one.key, entry.key);
    let rotated = world.authority.rotate(&world.alice, &issued.key.id, MOMENT).await?;
    assert_eq!(rotated.key.contact, issued.key.contact);
    assert_eq!(rotated.key.description, issued.key.description);
    Ok(())
}

#[common::test(each_store)]
async fn a10_notes_are_found_by_search(world: &World) -> TestResult {
    let first = world.generate(noted()?).await?.key.id;
    world.clock.advance(MOMENT);
    let contact = Contact::new("Équipe technique")?;
    let second = world.generate(NewKey::named("prod-ops-app")?.contact(contact.clone())).await?;
    let second = second.key.id;
    let search = |text: &str| found(world, KeyQuery::new().search(text));
    assert_eq!(search("INVOICES").await?, [first]);
    assert_eq!(search("archive.\nruns").await?, [first]);
    assert_eq!(search("ops").await?, [first, second], "a contact and a name");
    assert_eq!(search("éQUIPE").await?, [second]);
    assert_eq!(search("e\u{301}quipe").await?, [second], "another spelling of the same letter");
    let edit = KeyEdit::new().description(None);
    world.authority.edit(&world.alice, &first, edit).await?;
    assert_eq!(search("invoices").await?, []);
    Ok(())
}

#[common::test(each_store)]
async fn a10_notes_change_in_any_status(world: &World) -> TestResult {
    for status in KeyStatus::ALL {
        let issued = world.generate_in(status).await?;
        let id = &issued.key.id;
        let edit = KeyEdit::new()
            .description(Some(Description::new(NEED)?))
            .contact(Some(Contact::new(OPS)?));
        let set = world.authority.edit(&world.alice, id, edit.clone()).await?.into_inner();
        assert_eq!((set.description, set.contact), (noted_need()?, noted_ops()?), "{status}");
        assert!(world.authority.edit(&world.alice, id, edit).await?.is_unchanged());
        let clear = KeyEdit::new().contact(None);
        let cleared = world.authority.edit(&world.alice, id, clear).await?.into_inner();
        assert_eq!((cleared.description, cleared.contact), (noted_need()?, None), "{status}");
        assert_eq!(world.status(id).await?, status);
        // The events tell which fields changed, and never the texts.
        let events = world.events_of(id).await?;
        let told: Vec<_> = events
            .iter()
            .filter(|event| event.kind.to_string() == "key.annotate")
            .map(|event| event.details.to_string())
            .collect();
        let (both, none, one) = ("changed=\"description, contact\"", "", "changed=\"contact\"");
        assert!(told == [both, none, one] || told == [one, none, both], "{status}: {told:?}");
        let texts = |details: &EventDetails| details.to_string();
        for event in &events {
            let text = texts(&event.details);
            assert!(!text.contains("invoices") && !text.contains(OPS), "{text}");
        }
    }
    Ok(())
}

fn noted_need() -> Result<Option<Description>, NoteError> {
    Description::new(NEED).map(Some)
}

fn noted_ops() -> Result<Option<Contact>, NoteError> {
    Contact::new(OPS).map(Some)
}

#[common::test(each_store)]
async fn a10_notes_never_hold_a_token(world: &World) -> TestResult {
    let issued = world.generate(noted()?).await?;
    let token = issued.token.expose();
    let (need, contact) = (NoteField::Description, NoteField::Contact);
    for text in [token, issued.token.expose_key_secret(), &format!("the key is {token}")] {
        assert_eq!(Description::new(text), Err(NoteError::LooksLikeToken(need)));
        assert_eq!(Contact::new(text), Err(NoteError::LooksLikeToken(contact)));
    }
    Ok(())
}

#[common::test(each_store)]
async fn a10_stale_edit_of_notes_is_refused(world: &World) -> TestResult {
    let issued = world.generate(noted()?).await?;
    let (id, version) = (&issued.key.id, issued.key.version);
    let edit = KeyEdit::new().contact(None).if_version(version);
    world.authority.edit(&world.alice, id, edit.clone()).await?;
    let late = edit.description(None);
    let refused = world.authority.edit(&world.alice, id, late).await;
    assert!(matches!(refused, Err(KeyError::Stale { .. })), "{refused:?}");
    let entry = world.authority.key(&world.alice, id).await?;
    let key = &entry.key;
    assert_eq!((key.description.clone(), key.contact.clone()), (noted_need()?, None));
    // Another owner's key is not found, so its notes stay too.
    let foreign = world.authority.edit(&world.bob, id, KeyEdit::new().description(None)).await;
    assert!(matches!(foreign, Err(KeyError::NotFound(_))), "{foreign:?}");
    Ok(())
}

#[common::test(each_store)]
async fn a10_keys_are_filtered_by_contact(world: &World) -> TestResult {
    let first = world.generate(noted()?).await?.key.id;
    world.clock.advance(MOMENT);
    let other = Contact::new("Ops@example.com")?;
    let second = world.generate(NewKey::named("prod-main-app")?.contact(other.clone())).await?;
    world.clock.advance(MOMENT);
    let third = world.generate(noted()?).await?.key.id;
    let of = |contact: Contact| found(world, KeyQuery::new().contact(contact));
    assert_eq!(of(Contact::new(OPS)?).await?, [first, third]);
    assert_eq!(of(other).await?, [second.key.id]);
    assert_eq!(of(Contact::new("example.com")?).await?, []);
    // A developer finds only their own keys by contact.
    let query = KeyQuery::new().contact(Contact::new(OPS)?);
    assert!(world.authority.keys(&world.bob, &query).await?.items.is_empty());
    Ok(())
}

#[common::test(each_store)]
async fn q5_keys_are_filtered_by_fields(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let metadata = || Metadata::new([("team", "billing"), ("region", "eu")]);
    let named = || NewKey::named("prod-main-app");
    let of_user = world.generate(named()?.metadata(metadata()?)).await?.key;
    world.clock.advance(MOMENT);
    let of_account = world.generate_under(&account, named()?.metadata(metadata()?)).await?.key.id;
    world.clock.advance(MOMENT);
    let plain = world.generate(named()?).await?.key.id;
    let all = KeyQuery::new;
    assert_eq!(found(world, all().owner_kind(OwnerKind::User)).await?, [of_user.id, plain]);
    assert_eq!(found(world, all().owner_kind(OwnerKind::Account)).await?, [of_account]);
    let billing = all().metadata("team", "billing");
    assert_eq!(found(world, billing.clone()).await?, [of_user.id, of_account]);
    assert_eq!(found(world, billing.clone().metadata("region", "us")).await?, []);
    assert_eq!(found(world, all().metadata("region", "EU")).await?, []);
    let both = billing.metadata("region", "eu").owner_kind(OwnerKind::Account);
    assert_eq!(found(world, both).await?, [of_account]);
    let prefix = of_user.prefix.clone();
    assert_eq!(found(world, all().prefix(prefix)).await?, [of_user.id, of_account, plain]);
    assert_eq!(found(world, all().prefix("acme".parse()?)).await?, []);
    Ok(())
}
