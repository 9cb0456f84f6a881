//! Gatepost, where a client has a key id and a key secret, which an administrator switches off and on and
//! regenerates.

use std::time::Duration;

use keywright::http::page::{ExpiryForm, KeyFields, Links, Page, Screens, Text, Texts};
use keywright::{NewKey, Owner, Permissions, Plan, SettingsEdit};

use crate::Failure;
use crate::history::History;
use crate::layout::Layout;
use crate::product::{Person, Product, Site};

pub struct Gatepost;

const MANAGER: Permissions = Permissions::SHOW_ANY
    .union(Permissions::GENERATE_ANY)
    .union(Permissions::EDIT_ANY)
    .union(Permissions::ROTATE_ANY)
    .union(Permissions::DELETE_ANY)
    .union(Permissions::SHOW_POLICY);

const PRODUCT: Product = Product {
    slug: "gatepost",
    name: "Gatepost",
    summary: "Key id and key secret: a lifetime in days, Disable and Enable, and a new secret for the \
              same id.",
    page: "/setup/api-management",
    prefix: "gatepost_live",
    people: &[
        Person {
            id: "ada",
            name: "Ada Lovelace",
            role: "administrator",
            permissions: MANAGER,
            tenant: "gatepost",
            is_licensed: true,
        },
        Person {
            id: "rui",
            name: "Rui Costa",
            role: "operator, without access to keys",
            permissions: Permissions::NONE,
            tenant: "gatepost",
            is_licensed: true,
        },
    ],
};

/// The texts of the page in the words of the product.
fn texts() -> Texts {
    Texts::english()
        .with(Text::ORGANIZATION_KEYS, "API management")
        .with(
            Text::ORGANIZATION_KEYS_LEAD,
            "A client of {product} signs in with a key ID and its secret.",
        )
        .with(Text::NEW_KEY, "Add more")
        .with(
            Text::ANSWER_LOST,
            "No. The secret itself is not stored. Regenerate it to get a new one for the same key ID.",
        )
        .with(
            Text::ANSWER_LEAKED,
            "Regenerate it: the old secret is refused at once. If the key ID is not needed, delete it.",
        )
        .with(
            Text::ANSWER_ROTATE_AT_ONCE,
            "Add another key ID, install it everywhere, and delete the old one when it is no longer used.",
        )
        .with(
            Text::SECRET_NOT_SHOWN_AGAIN,
            "The secret was shown when it was generated, and is not stored. If it is lost, regenerate it.",
        )
        .with(Text::KEY_MADE, "The key ID and its secret")
        .with(Text::KEY_ROTATED, "The key ID has a new secret")
        .with(Text::TOKEN, "Both parts in one")
        .with(Text::ROTATE, "Regenerate")
        .with(Text::ROTATE_KEY, "Regenerate the secret of {name}")
        .with(Text::ROTATE_AGAIN, "Regenerate again")
        .with(Text::I_HAVE_STORED_IT, "Done")
}

impl Site for Gatepost {
    const PRODUCT: &Product = &PRODUCT;
    const LAYOUT: Layout = Layout {
        header: "<header><strong>Gatepost</strong><nav aria-label=\"You are here\"><ol>\
                 <li><a href=\"/gatepost/help\">Setup</a></li>\
                 <li><a href=\"/gatepost/setup/api-management\">API management</a></li></ol></nav></header>",
    };

    fn page(page: Page) -> Result<Page, Failure> {
        Ok(page
            .screens(Screens::ORGANIZATION_KEYS)
            .fields(KeyFields::NONE)
            .expiry(ExpiryForm::Days)
            .show_id_and_secret()
            .links(Links::new().documentation("/gatepost/docs".parse()?))
            .administrators("Ada Lovelace")
            .texts(|_| texts())
            .user_names(|_, user| {
                PRODUCT.person(user.as_str()).map(|person| person.name.to_owned())
            })
            .layout(Self::LAYOUT))
    }

    async fn seed(history: &History) -> Result<(), Failure> {
        let ada = PRODUCT.people[0].actor()?;
        let of_all = |name| NewKey::named(name).map(|new| new.owner(Owner::Organization));
        let mut plan = Plan::allowing("doors:read".parse()?, "doors:open".parse()?);
        plan.default_scopes = "doors:read doors:open".parse()?;
        // A new secret replaces the old one at once.
        plan.max_overlap = Duration::ZERO;

        history.days_ago(260);
        history.begin(&PRODUCT, plan).await?;
        history.settings(SettingsEdit::new().api_enabled(Some(true))).await?;
        let (_, lobby) = history.key(&ada, of_all("Lobby terminal")?).await?;
        let (_, terminal) = history.key(&ada, of_all("Terminal 2")?.expires_in_days(180)).await?;
        history.days_ago(80);
        history.uses(&terminal, 65).await?;
        let (garage, _) = history.key(&ada, of_all("Garage gate")?.expires_in_days(365)).await?;
        history.days_ago(12);
        history.authority.disable(&ada, &garage.id).await?;
        history.minutes_ago(7);
        history.uses(&lobby, 412).await
    }
}
