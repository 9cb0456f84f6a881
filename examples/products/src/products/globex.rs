//! Globex, where an administrator sets the limits of the organization and oversees its keys, and each
//! user has a hub for their own.

use std::time::Duration;

use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;
use keywright::http::page::{CustomField, KeyFields, Links, Page, Screens, Texts};
use keywright::{NewKey, Owner, Permissions, Plan, SettingsEdit, UserId};

use crate::Failure;
use crate::history::History;
use crate::layout::Layout;
use crate::product::{Person, Product, Site};

pub struct Globex;

const PRODUCT: Product = Product {
    slug: "globex",
    name: "Globex",
    summary: "The console of a tenant's administrator (settings, all keys, events) and the hub of a user, \
              in English and German by the language of the browser.",
    page: "/api-keys",
    prefix: "globex_live",
    people: &[
        Person {
            id: "ada",
            name: "Ada Lovelace",
            role: "administrator of the tenant",
            permissions: Permissions::TENANT_ADMIN.union(Permissions::DEVELOPER),
            tenant: "globex",
            is_licensed: true,
        },
        Person {
            id: "greta",
            name: "Greta Lind",
            role: "developer",
            permissions: Permissions::DEVELOPER,
            tenant: "globex",
            is_licensed: true,
        },
        Person {
            id: "hugo",
            name: "Hugo Weiss",
            role: "developer without a license",
            permissions: Permissions::DEVELOPER,
            tenant: "globex",
            is_licensed: false,
        },
        Person {
            id: "iris",
            name: "Iris Chen",
            role: "auditor",
            permissions: Permissions::AUDITOR,
            tenant: "globex",
            is_licensed: true,
        },
    ],
};

/// Returns the texts in the language of the user, which your own service may have in its session.
fn texts(request: &Parts) -> Texts {
    let wanted = request.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    if wanted.is_some_and(|wanted| wanted.starts_with("de")) {
        Texts::german()
    } else {
        Texts::english()
    }
}

impl Site for Globex {
    const PRODUCT: &Product = &PRODUCT;
    const LAYOUT: Layout = Layout {
        header: "<header><strong>Globex</strong><nav aria-label=\"Globex\"><ul>\
                 <li><a href=\"/globex/help\">Dashboard</a></li>\
                 <li><a href=\"/globex/api-keys\">API keys</a></li></ul></nav></header>",
    };

    fn page(page: Page) -> Result<Page, Failure> {
        let links = Links::new()
            .documentation("/globex/docs".parse()?)
            .upgrade("/globex/plans".parse()?)
            .support("/globex/help".parse()?);
        Ok(page
            .screens(Screens::OWN_KEYS | Screens::TENANT_ADMIN)
            .fields(KeyFields::SCOPES | KeyFields::DESCRIPTION | KeyFields::NETWORKS)
            .custom_field(CustomField::new("cost_center", "Cost center").hint("Four digits."))
            .links(links)
            .administrators("Ada Lovelace")
            .texts(texts)
            .user_names(|_, user| {
                PRODUCT.person(user.as_str()).map(|person| person.name.to_owned())
            })
            .layout(Self::LAYOUT))
    }

    async fn seed(history: &History) -> Result<(), Failure> {
        let [ada, greta, hugo, _] = PRODUCT.people else { return Ok(()) };
        let (ada, greta) = (ada.actor()?, greta.actor()?);
        let hugo = Owner::User(hugo.user()?);
        let authority = &history.authority;
        let (reading, writing) = ("orders:read stock:read", "orders:write");
        let mut plan = Plan::allowing(reading.parse()?, writing.parse()?);
        for (scope, description) in [
            ("orders:read", "See orders"),
            ("orders:write", "Create and change orders"),
            ("stock:read", "See the stock"),
        ] {
            if let Some(definition) = plan.scopes.get_mut(&scope.parse()?) {
                definition.description = Some(description.parse()?);
            }
        }
        plan.default_scopes = "orders:read".parse()?;

        history.days_ago(200);
        history.begin(&PRODUCT, plan).await?;
        let settings = SettingsEdit::new().api_enabled(Some(true)).max_keys_per_user(Some(5));
        history.settings(settings.extensive_use(Some("1000/3600s".parse()?))).await?;
        let old = NewKey::named("Warehouse scanner")?.expires_in_days(120);
        let (_, scanner) = history.key(&greta, old).await?;
        let new = NewKey::named("Hugo's script")?.owner(hugo);
        let (_, script) = history.key(&history.host, new).await?;
        history.days_ago(90);
        history.uses(&scanner, 54).await?;
        let limits = SettingsEdit::new().max_lifetime(Some(Duration::from_hours(24 * 365)));
        let edit = limits.suspicious_use(Some("5/300s".parse()?));
        authority.edit_settings(&ada, edit).await?;
        let scopes = "orders:read stock:read".parse()?;
        let new = NewKey::named("Order dashboard")?.scopes(scopes).expires_in_days(365);
        let (dashboard, tv) = history.key(&greta, new).await?;
        for name in ["Label printer", "Stock alerts"] {
            history.key(&greta, NewKey::named(name)?.expires_in_days(120)).await?;
        }
        let new = NewKey::named("Quarterly report")?.description("Runs on 1 April".parse()?);
        let (report, _) = history.key(&ada, new.expires_in_days(180)).await?;
        history.days_ago(30);
        history.uses(&script, 40).await?;
        authority.rename(&greta, &dashboard.id, "Order dashboard, hall 2".parse()?).await?;
        history.days_ago(12);
        let left = UserId::new("jonas")?;
        authority.set_display_name(&history.host, &left, Some("Jonas Keller".parse()?)).await?;
        let new = NewKey::named("Migration")?.owner(Owner::User(left.clone()));
        let (_, migration) = history.key(&history.host, new.expires_in_days(60)).await?;
        history.uses(&migration, 3).await?;
        history.days_ago(5);
        authority.suspend_user(&ada, &left).await?;
        history.uses(&migration, 8).await?;
        authority.revoke(&ada, &report.id).await?;
        history.minutes_ago(90);
        history.uses(&tv, 1_060).await?;
        history.minutes_ago(4);
        history.uses(&tv, 80).await
    }
}
