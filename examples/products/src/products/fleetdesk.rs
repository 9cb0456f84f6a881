//! Fleetdesk, where service accounts own the keys. Its documents have a strict policy with a nonce for
//! each request.

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use keywright::http::page::{self, KeyFields, Links, Page, Screen, Screens};
use keywright::{Name, NewAccount, NewKey, Owner, Permissions, Plan, Role, SettingsEdit};

use crate::Failure;
use crate::history::History;
use crate::layout::{Content, Layout, Nonce};
use crate::product::{Person, Product, Site};

pub struct Fleetdesk;

const PRODUCT: Product = Product {
    slug: "fleetdesk",
    name: "Fleetdesk",
    summary: "Service accounts with a role and a read-only switch, each with its keys, under a strict \
              Content-Security-Policy with a nonce.",
    page: "/admin/service-accounts",
    prefix: "fleetdesk_live",
    people: &[
        Person {
            id: "ada",
            name: "Ada Lovelace",
            role: "administrator",
            permissions: Permissions::ADMINISTRATOR,
            tenant: "fleetdesk",
            is_licensed: true,
        },
        Person {
            id: "finn",
            name: "Finn Berg",
            role: "dispatcher, not an administrator",
            permissions: Permissions::NONE,
            tenant: "fleetdesk",
            is_licensed: true,
        },
    ],
};

impl Site for Fleetdesk {
    const PRODUCT: &Product = &PRODUCT;
    const LAYOUT: Layout = Layout {
        header: "<header><strong>Fleetdesk</strong><nav aria-label=\"Administration\"><ul>\
                 <li><a href=\"/fleetdesk/help\">Vehicles</a></li>\
                 <li><a href=\"/fleetdesk/admin/service-accounts\">Service accounts</a></li></ul></nav></header>",
    };

    fn page(page: Page) -> Result<Page, Failure> {
        Ok(page
            .screens(Screens::ACCOUNTS)
            .fields(KeyFields::DESCRIPTION)
            .environment_variable("FLEETDESK_API_KEY")
            .links(Links::new().documentation("/fleetdesk/docs".parse()?))
            .administrators("Ada Lovelace")
            .user_names(|_, user| {
                PRODUCT.person(user.as_str()).map(|person| person.name.to_owned())
            })
            .layout(StrictLayout))
    }

    fn extend(site: Router) -> Router {
        site.layer(from_fn(strict_policy))
    }

    async fn seed(history: &History) -> Result<(), Failure> {
        let ada = PRODUCT.people[0].actor()?;
        let authority = &history.authority;
        let (reading, writing) = ("vehicles:read routes:read", "routes:write vehicles:write");
        let mut plan = Plan::allowing(reading.parse()?, writing.parse()?);
        for (role, scopes, description) in [
            ("dispatcher", "vehicles:read routes:read routes:write", "Plans and changes routes."),
            ("viewer", "vehicles:read routes:read", "Sees vehicles and routes."),
            ("workshop", "vehicles:read vehicles:write", "Keeps the records of vehicles."),
        ] {
            let role_of = Role::new(scopes.parse()?).description(description.parse()?);
            plan.roles.insert(role.parse()?, role_of);
        }

        history.days_ago(180);
        history.begin(&PRODUCT, plan).await?;
        history.settings(SettingsEdit::new().api_enabled(Some(true))).await?;
        let account = NewAccount::new(Name::new("Route planner")?, "dispatcher".parse()?);
        let planner = authority.create_account(&ada, account).await?.account.id;
        let of = |account| Owner::Account(account);
        let new = NewKey::named("Planner, production")?.owner(of(planner));
        let (_, production) = history.key(&ada, new).await?;
        let new = NewKey::named("Planner, tests")?.owner(of(planner)).expires_in_days(90);
        let (_, tests) = history.key(&ada, new).await?;
        history.uses(&tests, 33).await?;
        history.days_ago(120);
        let account = NewAccount::new(Name::new("Telematics import")?, "workshop".parse()?);
        let import = authority.create_account(&ada, account.read_only()).await?.account.id;
        let new = NewKey::named("Nightly import")?.owner(of(import)).expires_in_days(365);
        let (_, nightly) = history.key(&ada, new).await?;
        let account = NewAccount::new(Name::new("Old garage")?, "workshop".parse()?);
        let garage = authority.create_account(&ada, account).await?.account.id;
        let new = NewKey::named("Garage computer")?.owner(of(garage));
        let (_, computer) = history.key(&ada, new).await?;
        history.days_ago(100);
        history.uses(&computer, 9).await?;
        history.days_ago(40);
        authority.disable_account(&ada, &garage).await?;
        history.minutes_ago(500);
        history.uses(&nightly, 120).await?;
        history.minutes_ago(3);
        history.uses(&production, 640).await
    }
}

/// Draws a nonce for the layout, and names it in the policy of the response.
async fn strict_policy(mut request: Request, next: Next) -> Response {
    let nonce = format!("{:032x}", rand::random::<u128>());
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    request.extensions_mut().insert(Nonce(nonce));
    let mut response = next.run(request).await;
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The layout, which prints the tags itself: each has the nonce of the request.
struct StrictLayout;

impl page::Layout for StrictLayout {
    fn wrap(&self, request: &Parts, screen: &Screen<'_>) -> String {
        let nonce = request.extensions.get::<Nonce>().map_or("", |Nonce(nonce)| nonce);
        let head = format!(
            "<link rel=\"stylesheet\" nonce=\"{nonce}\" href=\"{}\">\
             <script type=\"module\" nonce=\"{nonce}\" src=\"{}\"></script>",
            screen.stylesheet(),
            screen.script(),
        );
        let title = screen.escaped_title();
        let content = Content {
            language: screen.language(),
            title: &title,
            head: &head,
            body: screen.body(),
        };
        Fleetdesk::LAYOUT.document(&request.extensions, content)
    }
}
