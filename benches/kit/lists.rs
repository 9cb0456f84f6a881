//! Pages and searches of one tenant with many keys, on any store.

use std::hint::black_box;

use futures_lite::future::block_on;
use keywright::store::{KeyQuery, KeySort, KeyStore, StoredKey};
use keywright::{Clock, KeyStatus, SystemClock, TenantId};

use crate::figure::{Figure, Target, Unit};
use crate::fill::Population;
use crate::rounds::Lane;
use crate::run::Run;

const SORTS: [(KeySort, &str); 5] = [
    (KeySort::Created, "creation"),
    (KeySort::Updated, "last change"),
    (KeySort::Name, "name"),
    (KeySort::Expires, "expiry"),
    (KeySort::LastUsed, "last use"),
];

const SEARCHES: [&str; 4] = [
    "search for a part of one name",
    "search for a part of one id",
    "search for a part of all names",
    "search for what no key has",
];

/// The pages and searches of one store.
#[derive(Debug)]
pub struct Lists<'a, S> {
    pub store: &'a S,
    /// The name of the store in the figures.
    pub name: &'a str,
}

impl<S: KeyStore> Lists<'_, S> {
    /// Returns whether the run wants one of the figures.
    pub fn are_wanted(run: &Run, name: &str) -> bool {
        let searches = SEARCHES.map(|search| format!("{search}, {name}"));
        let sorts = SORTS.map(|(_, sort)| Self::page(sort, name));
        let others = [Self::page("a rare status", name)];
        sorts.iter().chain(&searches).chain(&others).any(|name| run.wants(name))
    }

    fn page(sort: &str, store: &str) -> String {
        format!("page of 50 by {sort}, {store}")
    }

    /// Measures all pages and searches among the first `keys` keys of the population.
    ///
    /// # Panics
    /// Panics if the store fails, or gives a wrong page.
    pub fn measure(&self, run: &Run, population: &Population, keys: usize) {
        let id = population.middle(keys);
        let tenant = population.world.admin.tenant();
        let middle = block_on(self.store.key(tenant, &id)).expect("it answers").expect("a key");
        for (sort, name) in SORTS {
            let name = Self::page(name, self.name);
            if run.wants(&name) {
                self.pages(run, tenant, &name, sort, &middle);
            }
        }
        let rare = Self::page("a rare status", self.name);
        if run.wants(&rare) {
            let query = KeyQuery::new().status(KeyStatus::Revoked).sort(KeySort::Name).limit(50);
            let [values] = run.rounds([self.lane(tenant, query, 0)]);
            run.show(&Figure::alone(rare, Unit::Seconds, &values).target(Target::Most(0.005)));
        }
        let name = middle.record.key().name.as_str();
        let texts = [&name[14..], &id.as_str()[2..14], "service-key", "no such key"];
        let found = [1, 1, 50.min(keys), 0];
        for ((search, text), found) in SEARCHES.into_iter().zip(texts).zip(found) {
            let search = format!("{search}, {}", self.name);
            if run.wants(&search) {
                let query = KeyQuery::new().search(text).limit(50);
                let [values] = run.rounds([self.lane(tenant, query, found)]);
                run.show(&Figure::alone(search, Unit::Seconds, &values).target(Target::Most(0.05)));
            }
        }
    }

    /// Measures the first page and one from the middle, upward and downward, and shows the slowest.
    fn pages(&self, run: &Run, tenant: &TenantId, name: &str, sort: KeySort, middle: &StoredKey) {
        let up = KeyQuery::new().sort(sort).limit(50);
        let down = up.clone().descending();
        let behind = |query: &KeyQuery| query.behind(query.position(&middle.record, &middle.usage));
        let queries = [behind(&up), behind(&down), up, down];
        let values = run.rounds(queries.map(|query| self.lane(tenant, query, 50)));
        let total = |values: &Vec<f64>| values.iter().sum::<f64>();
        let slowest = values.iter().max_by(|a, b| total(a).total_cmp(&total(b)));
        let slowest = slowest.expect("four queries");
        run.show(&Figure::alone(name, Unit::Seconds, slowest).target(Target::Most(0.005)));
    }

    fn lane<'q>(&'q self, tenant: &'q TenantId, query: KeyQuery, found: usize) -> Lane<'q> {
        Lane::calls(1, move || {
            let page = block_on(self.store.keys(tenant, &query, SystemClock.now()));
            assert_eq!(black_box(page.expect("a page")).items.len(), found);
        })
    }
}
