//! Ledgerline, where developers manage the API access of their integrations: names by a rule, and a
//! rotation that is handed over to the owner of a system.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use keywright::http::page::{Href, KeyFields, Links, Page, Screens, Text, Texts};
use keywright::{NamePattern, NewKey, Operation, Permissions, Plan, SettingsEdit};

use crate::history::History;
use crate::layout::Layout;
use crate::product::{Person, Product, Site};
use crate::{Failure, step_up};

pub struct Ledgerline;

const PRODUCT: Product = Product {
    slug: "ledgerline",
    name: "Ledgerline",
    summary: "API access of a developer: names by a rule, rotation with a hand-over, a fresh login before \
              each change, and an upgrade for customers whose plan has no API.",
    page: "/settings/api-access",
    prefix: "ledgerline_live",
    people: &[
        Person {
            id: "noa",
            name: "Noa Levi",
            role: "developer",
            permissions: Permissions::DEVELOPER,
            tenant: "ledgerline",
            is_licensed: true,
        },
        Person {
            id: "kim",
            name: "Kim Park",
            role: "accountant, may not create keys",
            permissions: Permissions::SHOW_OWN.union(Permissions::SHOW_POLICY),
            tenant: "ledgerline",
            is_licensed: true,
        },
        Person {
            id: "sam",
            name: "Sam Okoro",
            role: "developer of a customer on the free plan",
            permissions: Permissions::DEVELOPER,
            tenant: "ledgerline-free",
            is_licensed: true,
        },
    ],
};

impl Site for Ledgerline {
    const PRODUCT: &Product = &PRODUCT;
    const LAYOUT: Layout = Layout {
        header: "<header><strong>Ledgerline</strong><nav aria-label=\"You are here\"><ol>\
                 <li><a href=\"/ledgerline/help\">Settings</a></li>\
                 <li><a href=\"/ledgerline/settings/api-access\">API access</a></li></ol></nav></header>",
    };

    fn page(page: Page) -> Result<Page, Failure> {
        let links = Links::new()
            .documentation("/ledgerline/docs".parse()?)
            .upgrade("/ledgerline/plans".parse()?)
            .support("/ledgerline/help".parse()?);
        let confirm: Href = "/ledgerline/confirm".parse()?;
        Ok(page
            .screens(Screens::OWN_KEYS)
            .fields(KeyFields::DESCRIPTION | KeyFields::CONTACT)
            .name_examples(["prod-main-app", "staging-api", "crm-integration"])
            .environment_variable("LEDGERLINE_API_KEY")
            .administrators("Olga Petrova, who owns the account")
            .links(links)
            .texts(|_| {
                Texts::english()
                    .with(Text::OWN_KEYS, "API access")
                    .with(Text::NEW_KEY, "Create API key")
                    .with(Text::GENERATE, "Create API key")
                    .with(Text::FINISH_ROTATION, "Confirm hand-over done")
                    .with(Text::FINISH_KEY, "Confirm that {name} is handed over")
            })
            .step_up(move |request, operation| {
                // A leaked key must be revoked at once.
                let is_urgent = operation == Operation::KeyRevoke;
                (!is_urgent && !step_up::is_recent(request)).then(|| confirm.clone())
            })
            .user_names(|_, user| {
                PRODUCT.person(user.as_str()).map(|person| person.name.to_owned())
            })
            .layout(Self::LAYOUT))
    }

    fn extend(site: Router) -> Router {
        let ask = get(async |request: Request| step_up::ask(Self::LAYOUT, &request));
        let confirm = ask.post(step_up::confirm).with_state(Self::PRODUCT);
        site.route("/confirm", confirm)
    }

    async fn seed(history: &History) -> Result<(), Failure> {
        let noa = PRODUCT.people[0].actor()?;
        let mut plan = Plan::allowing("invoices:read".parse()?, "invoices:write".parse()?);
        plan.default_scopes = "invoices:read invoices:write".parse()?;

        history.days_ago(300);
        history.begin(&PRODUCT, plan).await?;
        let settings = SettingsEdit::new().api_enabled(Some(true));
        history.settings(settings.name_pattern(Some(NamePattern::default()))).await?;
        let crm = NewKey::named("crm-integration")?.description("Copies customers".parse()?);
        let (_, crm) = history.key(&noa, crm).await?;
        history.days_ago(150);
        let old = NewKey::named("prod-reporting")?.expires_in_days(90);
        let (_, old) = history.key(&noa, old).await?;
        let (spreadsheet, _) = history.key(&noa, NewKey::named("office-spreadsheet")?).await?;
        let main = NewKey::named("prod-main-app")?
            .description("Sends the invoices".parse()?)
            .contact("billing-team@example.com".parse()?)
            .expires_in_days(365);
        let (main, old_secret) = history.key(&noa, main).await?;
        history.days_ago(95);
        history.uses(&crm, 310).await?;
        history.uses(&old, 77).await?;
        history.days_ago(10);
        history.authority.revoke(&noa, &spreadsheet.id).await?;
        history.days_ago(6);
        history.key(&noa, NewKey::named("staging-api")?.expires_in_days(40)).await?;
        history.minutes_ago(200);
        history.uses(&old_secret, 880).await?;
        history.minutes_ago(180);
        let overlap = Duration::from_hours(72);
        let new_secret = history.authority.rotate(&noa, &main.id, overlap).await?.token;
        history.minutes_ago(15);
        history.uses(&new_secret, 24).await?;

        // A customer who had the API, and is now on a plan without it.
        let sam = PRODUCT.people[2].actor()?;
        let free = history.of_tenant("ledgerline-free")?;
        free.days_ago(90);
        let mut plan = Plan::allowing("invoices:read".parse()?, "invoices:write".parse()?);
        plan.default_scopes = "invoices:read".parse()?;
        free.begin(&PRODUCT, plan).await?;
        free.settings(SettingsEdit::new().api_enabled(Some(true))).await?;
        let (_, shop) = free.key(&sam, NewKey::named("web-shop")?).await?;
        free.uses(&shop, 12).await?;
        free.days_ago(20);
        let mut plan = free.authority.policy(&free.host).await?.plan;
        plan.api_access = false;
        free.authority.set_plan(&free.host, plan).await?;
        Ok(())
    }
}
