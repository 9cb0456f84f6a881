//! The policies and the numbers of keys of a store with one flaw.

use std::cmp::Reverse;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::yield_now;
use keywright::store::{
    KeyQuery, KeyStore, MAX_LIMIT, OwnedKeys, Page, StoreError, StoredKey, TenantPolicy, Usage,
};
use keywright::{Owner, TenantId, Timestamp};

use super::flaws::Flaw;
use super::store::{Wrong, with};

const SECOND: Duration = Duration::from_secs(1);

impl Wrong {
    pub(super) async fn policies_wrongly(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<Arc<TenantPolicy>>>, StoreError> {
        match self.flaw {
            Flaw::PoliciesSorted => {
                let mut sorted = tenants.to_vec();
                sorted.sort();
                self.inner.policies(&sorted).await
            }
            Flaw::PoliciesOneByOne => {
                let mut found = Vec::new();
                for tenant in tenants {
                    found.extend(self.inner.policies(slice::from_ref(tenant)).await?);
                    yield_now().await;
                }
                Ok(found)
            }
            _ => self.inner.policies(tenants).await,
        }
    }

    pub(super) async fn owned_keys_wrongly(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        let mut owners = owners.to_vec();
        if self.flaw == Flaw::OwnersSorted {
            owners.sort_by_key(ToString::to_string);
        }
        let at = match self.flaw {
            Flaw::OwnedOfLater => at.saturating_add(SECOND),
            _ => at,
        };
        if self.flaw == Flaw::OwnedOneByOne {
            let mut found = Vec::new();
            for owner in &owners {
                let owner = slice::from_ref(owner);
                found.extend(self.inner.owned_keys(tenant, owner, most, at).await?);
                yield_now().await;
            }
            return Ok(found);
        }
        if self.flaw == Flaw::OwnedOfAnyTenant {
            let all = self.keys_of_any_tenant(at).await?;
            let all = all.iter().map(|s| (&s.record, s.usage, s.owner.clone()));
            return Ok(OwnedKeys::of(&owners, all, most, at));
        }
        let mut found = self.inner.owned_keys(tenant, &owners, u16::MAX, at).await?;
        for OwnedKeys { live, all, keys } in &mut found {
            match self.flaw {
                Flaw::OwnedOldestFirst => keys.reverse(),
                Flaw::OwnedTiesAscending => {
                    keys.sort_by_key(|s| (Reverse(s.record.key().created_at), *s.record.id()));
                }
                Flaw::OwnedWithoutUsage => {
                    for stored in &mut *keys {
                        stored.usage = Usage::default();
                    }
                }
                _ => {}
            }
            keys.truncate(most.into());
            if self.flaw == Flaw::OwnedNumbersCut {
                let is_live = |stored: &&StoredKey| stored.record.key().status(at).is_live();
                *live = keys.iter().filter(is_live).count() as u64;
                *all = keys.len() as u64;
            }
        }
        Ok(found)
    }

    pub(super) async fn count_keys_wrongly(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let count = self.inner.count_keys(tenant, query, at).await?;
        Ok(match self.flaw {
            Flaw::CountOfLater => {
                self.inner.count_keys(tenant, query, at.saturating_add(SECOND)).await?
            }
            Flaw::CountFindsOwnerKinds => {
                let found = self.keys_of_any_tenant(at).await?;
                let matches = |stored: &&StoredKey| {
                    let StoredKey { record, usage, owner } = stored;
                    let named = with(record, "name", &record.key().owner);
                    record.key().tenant == *tenant
                        && [record, &named]
                            .iter()
                            .any(|r| query.matches(r, usage, owner.as_ref(), at))
                };
                found.iter().filter(matches).count() as u64
            }
            Flaw::CountStopsAtLimit => count.min(query.page_size() as u64),
            Flaw::CountAfterCursor => {
                let mut next = Some(query.clone().limit(MAX_LIMIT));
                let mut count = 0;
                while let Some(query) = next {
                    let Page { items, next: more } = self.inner.keys(tenant, &query, at).await?;
                    (count, next) = (count + items.len() as u64, more);
                }
                count
            }
            Flaw::CountOfAllTenants => {
                let found = self.keys_of_any_tenant(at).await?;
                query.count(found.iter().map(|s| (&s.record, s.usage, s.owner.clone())), at)
            }
            _ => count,
        })
    }

    /// Returns the keys of all tenants.
    async fn keys_of_any_tenant(&self, at: Timestamp) -> Result<Vec<StoredKey>, StoreError> {
        let mut found = Vec::new();
        let mut next = Some(KeyQuery::new().limit(MAX_LIMIT));
        while let Some(query) = next {
            let page = self.inner.keys_of_all_tenants(&query, at).await?;
            found.extend(page.items);
            next = page.next;
        }
        Ok(found)
    }
}
