//! Workbase, where the keys belong to the organization. A key has a name and an optional expiry.

use keywright::http::page::{ExpiryForm, KeyFields, Links, Page, Screens, Text, Texts};
use keywright::{NewKey, Owner, Permissions, Plan, SettingsEdit};

use crate::Failure;
use crate::history::History;
use crate::layout::Layout;
use crate::product::{Person, Product, Site};

pub struct Workbase;

/// Those who manage the keys can rename and delete them. To end a key, they delete it.
const MANAGER: Permissions = Permissions::SHOW_ANY
    .union(Permissions::GENERATE_ANY)
    .union(Permissions::EDIT_ANY)
    .union(Permissions::DELETE_ANY)
    .union(Permissions::SHOW_POLICY);

const PRODUCT: Product = Product {
    slug: "workbase",
    name: "Workbase",
    summary: "Keys of the organization, with a name and an optional expiry.",
    page: "/settings/api-keys",
    prefix: "workbase_live",
    people: &[
        Person {
            id: "ada",
            name: "Ada Lovelace",
            role: "administrator",
            permissions: MANAGER,
            tenant: "workbase",
            is_licensed: true,
        },
        Person {
            id: "mila",
            name: "Mila Novak",
            role: "member, may only look",
            permissions: Permissions::SHOW_ANY,
            tenant: "workbase",
            is_licensed: true,
        },
        Person {
            id: "tom",
            name: "Tom Baker",
            role: "guest, without access to keys",
            permissions: Permissions::NONE,
            tenant: "workbase",
            is_licensed: true,
        },
    ],
};

impl Site for Workbase {
    const PRODUCT: &Product = &PRODUCT;
    const LAYOUT: Layout = Layout {
        header: "<header><strong>Workbase</strong><nav aria-label=\"Settings of the organization\"><ul>\
                 <li><a href=\"/workbase/help\">General</a></li>\
                 <li><a href=\"/workbase/plans\">Billing</a></li>\
                 <li><a href=\"/workbase/settings/api-keys\">API keys</a></li></ul></nav></header>",
    };

    fn page(page: Page) -> Result<Page, Failure> {
        let links = Links::new()
            .documentation("/workbase/docs".parse()?)
            .support("/workbase/help".parse()?);
        Ok(page
            .screens(Screens::ORGANIZATION_KEYS)
            .fields(KeyFields::NONE)
            .expiry(ExpiryForm::Date)
            .links(links)
            .administrators("Ada Lovelace")
            .texts(|_| Texts::english().with(Text::ORGANIZATION_KEYS, "API keys"))
            .user_names(|_, user| {
                PRODUCT.person(user.as_str()).map(|person| person.name.to_owned())
            })
            .layout(Self::LAYOUT))
    }

    async fn seed(history: &History) -> Result<(), Failure> {
        let ada = PRODUCT.people[0].actor()?;
        let of_all = |name| NewKey::named(name).map(|new| new.owner(Owner::Organization));
        let mut plan = Plan::allowing("projects:read".parse()?, "projects:write".parse()?);
        plan.default_scopes = "projects:read projects:write".parse()?;

        history.days_ago(420);
        history.begin(&PRODUCT, plan).await?;
        history.settings(SettingsEdit::new().api_enabled(Some(true))).await?;
        let (_, website) = history.key(&ada, of_all("Website forms")?).await?;
        history.days_ago(200);
        let export = of_all("Data export 2025")?.expires_in_days(180);
        let (_, export) = history.key(&ada, export).await?;
        history.days_ago(130);
        let zapier = of_all("Zapier")?.expires_in_days(365);
        let (_, zapier) = history.key(&ada, zapier).await?;
        history.days_ago(110);
        let (mobile, _) = history.key(&ada, of_all("Mobile app, beta")?).await?;
        history.uses(&export, 230).await?;
        history.days_ago(60);
        history.authority.disable(&ada, &mobile.id).await?;
        history.days_ago(3);
        history.uses(&zapier, 96).await?;
        history.minutes_ago(130);
        history.uses(&website, 1_204).await
    }
}
