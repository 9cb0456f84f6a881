//! The past of a product's keys, which the example writes into a new store.

use std::sync::Arc;
use std::time::Duration;

use keywright::{
    Actor, Authority, Key, NewKey, Plan, Settings, SettingsEdit, TenantId, Token, UserId, Verifier,
};

use crate::Failure;
use crate::clock::PastClock;
use crate::product::Product;

const DAY: Duration = Duration::from_hours(24);

/// The past of one tenant, from the oldest day on.
pub struct History {
    pub authority: Authority,
    verifier: Verifier,
    clock: PastClock,
    /// The host itself, which sets the plan.
    pub host: Actor,
}

impl History {
    /// Starts the past of a tenant.
    pub fn of(
        tenant: &str,
        authority: Authority,
        verifier: Verifier,
        clock: PastClock,
    ) -> Result<Self, Failure> {
        let host = Actor::administrator(UserId::new("host")?).in_tenant(TenantId::new(tenant)?);
        Ok(Self { authority, verifier, clock, host })
    }

    /// Returns the past of another tenant of the same product.
    pub fn of_tenant(&self, tenant: &str) -> Result<Self, Failure> {
        Self::of(tenant, self.authority.clone(), self.verifier.clone(), self.clock.clone())
    }

    /// Goes to a number of days before now.
    pub fn days_ago(&self, days: u32) {
        self.clock.set_back(DAY * days);
    }

    /// Goes to a number of minutes before now.
    pub fn minutes_ago(&self, minutes: u64) {
        self.clock.set_back(Duration::from_mins(minutes));
    }

    /// Goes back to the present.
    pub fn end(&self) {
        self.clock.set_back(Duration::ZERO);
    }

    /// Returns true if the host has set no plan yet.
    pub async fn is_new(&self) -> Result<bool, Failure> {
        Ok(self.authority.policy(&self.host).await?.plan.version == 0)
    }

    /// Sets the plan, and gives the people of the tenant their display names.
    pub async fn begin(&self, product: &Product, plan: Plan) -> Result<(), Failure> {
        self.authority.set_plan(&self.host, plan).await?;
        for person in product.people {
            if person.tenant()? == *self.host.tenant() {
                let (user, name) = (person.user()?, person.name()?);
                self.authority.set_display_name(&self.host, &user, Some(name)).await?;
            }
        }
        Ok(())
    }

    /// Changes the settings.
    pub async fn settings(&self, edit: SettingsEdit) -> Result<Settings, Failure> {
        Ok(self.authority.edit_settings(&self.host, edit).await?.into_inner())
    }

    /// Generates a key.
    pub async fn key(&self, actor: &Actor, new: NewKey) -> Result<(Arc<Key>, Token), Failure> {
        let made = self.authority.generate(actor, new).await?;
        Ok((made.key, made.token))
    }

    /// Uses a key. A refused use counts too.
    pub async fn uses(&self, token: &Token, times: u32) -> Result<(), Failure> {
        for _ in 0..times {
            // Some of the keys are refused on purpose.
            let _ = self.verifier.verify(token.expose()).await;
        }
        Ok(self.verifier.flush().await?)
    }
}
