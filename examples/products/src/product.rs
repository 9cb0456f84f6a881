//! A product of the example, and the people who use it.

use axum::Router;
use keywright::http::page::Page;
use keywright::{Actor, IdError, Name, NameError, Permissions, TenantId, UserId};

use crate::Failure;
use crate::history::History;
use crate::layout::Layout;

/// The set-up of a product.
pub trait Site {
    const PRODUCT: &Product;
    /// The layout around the page and around the product's other pages.
    const LAYOUT: Layout;

    /// Sets up the page: screens, fields, texts, links and layout.
    fn page(page: Page) -> Result<Page, Failure>;

    /// Writes the plan, the settings and the first keys into a new store.
    fn seed(history: &History) -> impl Future<Output = Result<(), Failure>>;

    /// Adds routes or layers of the product's own.
    fn extend(site: Router) -> Router {
        site
    }
}

/// A product with a page of API keys.
#[derive(Debug)]
pub struct Product {
    /// The first part of its paths, and the name of its tenant.
    pub slug: &'static str,
    pub name: &'static str,
    /// One sentence for the start page.
    pub summary: &'static str,
    /// The path of the page below the slug, with a slash in front.
    pub page: &'static str,
    /// The prefix of its tokens.
    pub prefix: &'static str,
    /// The people who can be chosen in the stand-in for a login. The first is chosen at the start.
    pub people: &'static [Person],
}

/// A user of a product.
#[derive(Debug)]
pub struct Person {
    pub id: &'static str,
    pub name: &'static str,
    /// The role in the product, as the product calls it.
    pub role: &'static str,
    /// The permissions that the product gives to the role.
    pub permissions: Permissions,
    /// The customer of the product in which the person works.
    pub tenant: &'static str,
    /// False for a person for whom the customer has bought no license.
    pub is_licensed: bool,
}

impl Product {
    /// Returns the path of the page.
    pub fn path(&self) -> String {
        format!("/{}{}", self.slug, self.page)
    }

    /// Returns a person by id.
    pub fn person(&self, id: &str) -> Option<&'static Person> {
        self.people.iter().find(|person| person.id == id)
    }
}

impl Person {
    /// Creates the actor of the person. Your application maps its own users and roles here.
    pub fn actor(&self) -> Result<Actor, Failure> {
        let actor = Actor::new(self.user()?, self.permissions).in_tenant(self.tenant()?);
        let actor = actor.display_name(self.name()?);
        Ok(if self.is_licensed { actor } else { actor.without_license() })
    }

    pub fn user(&self) -> Result<UserId, IdError> {
        UserId::new(self.id)
    }

    pub fn tenant(&self) -> Result<TenantId, IdError> {
        TenantId::new(self.tenant)
    }

    /// Returns the display name.
    pub fn name(&self) -> Result<Name, NameError> {
        Name::new(self.name)
    }
}
