//! The keys of the requests: one for each reason to refuse a key.

use std::collections::BTreeMap;

use keywright::http::Guard;
use keywright::{
    Actor, Issued, KeyId, NewAccount, NewKey, Owner, PepperRing, Policy, Rate, TenantId, Verifier,
};

use common::faults::Faults;
use common::{DAY, HOUR, SECOND, World, admin, developer, named, render, user};

/// Keys and tokens by name. The clock is fixed, so a spent rate stays spent.
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) faults: Faults,
    tokens: BTreeMap<&'static str, String>,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let (world, faults) = World::faulty(|builder| builder);
        let mut site = Self { world, faults, tokens: BTreeMap::new() };
        site.dead_by_time().await;
        site.living().await;
        site.dead_by_hand().await;
        site.dead_by_account_or_tenant().await;
        site.forged();
        site
    }

    /// Returns a guard that requires only an accepted key.
    pub(crate) fn guard(&self) -> Guard {
        Guard::new(self.world.verifier.clone())
    }

    /// Returns a whole token.
    #[track_caller]
    pub(crate) fn token(&self, name: &str) -> &str {
        self.tokens.get(name).unwrap_or_else(|| panic!("no token has the name {name}"))
    }

    /// Returns the key id of a token.
    pub(crate) fn id(&self, name: &str) -> KeyId {
        self.id_text(name).parse().expect("a key id")
    }

    /// Returns a whole token, or its id or secret for a name with `.id` or `.secret`. Returns
    /// `None` for an unknown name.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let (whole, part) = name.split_once('.').unwrap_or((name, ""));
        self.tokens.contains_key(whole).then(|| match part {
            "id" => self.id_text(whole),
            "secret" => self.secret_text(whole),
            _ => self.token(whole),
        })
    }

    /// Returns the stored number of accepted uses of a key after a flush.
    pub(crate) async fn uses(&self, name: &str) -> u64 {
        self.counted(name).await.0
    }

    /// Returns the stored numbers of accepted and refused uses of a key after a flush.
    pub(crate) async fn counted(&self, name: &str) -> (u64, u64) {
        self.world.verifier.flush().await.expect("the store works");
        let entry = self.world.authority.key(&admin(), &self.id(name)).await;
        let entry = entry.expect("the key is there");
        (entry.uses, entry.refused)
    }

    /// Builds another setup over the same store and returns its verifier.
    pub(crate) fn other_verifier(&self) -> Verifier {
        self.world.with_settings(|builder| builder).verifier
    }

    fn id_text(&self, name: &str) -> &str {
        let token = self.token(name);
        &token[token.len() - 54..token.len() - 38]
    }

    fn secret_text(&self, name: &str) -> &str {
        let token = self.token(name);
        &token[token.len() - 38..]
    }

    fn keep(&mut self, name: &'static str, issued: &Issued) {
        self.tokens.insert(name, issued.token.expose().to_owned());
    }

    async fn make(&mut self, name: &'static str, owner: &Owner, new: NewKey) -> Issued {
        let issued =
            self.world.authority.generate(&admin(), new.owner(owner.clone())).await.expect("a key");
        self.keep(name, &issued);
        issued
    }

    async fn alices(
        &mut self,
        name: &'static str,
        change: impl FnOnce(NewKey) -> NewKey,
    ) -> Issued {
        let owner = developer("alice").as_owner();
        let new = named(&format!("prod-{}", name.replace('_', "-")));
        self.make(name, &owner, change(new)).await
    }

    async fn dead_by_time(&mut self) {
        self.alices("expired", |new| new.expires_in(HOUR)).await;
        let issued = self.alices("superseded", |new| new).await;
        self.world.authority.rotate(&admin(), &issued.key.id, HOUR).await.expect("it rotates");
        self.world.clock.advance(HOUR);
    }

    async fn living(&mut self) {
        let scopes = || "invoices:read invoices:write".parse().expect("scopes");
        self.alices("good", |new| new.scopes(scopes())).await;
        self.alices("other", |new| new.scopes(scopes())).await;
        self.alices("plain", |new| new).await;
        let networks = "203.0.113.0/24 2001:db8:7::/48".parse().expect("networks");
        self.alices("bound", |new| new.networks(networks)).await;

        let once = Rate::new(1, 60 * SECOND).expect("a rate");
        self.alices("rested", |new| new.rate(once)).await;
        let issued = self.alices("spent", |new| new.rate(once)).await;
        self.world.verifier.verify(issued.token.expose()).await.expect("its one use");

        let issued = self.alices("retiring", |new| new.scopes(scopes())).await;
        self.world.authority.rotate(&admin(), &issued.key.id, DAY).await.expect("it rotates");

        let reader = self.account("reader", NewAccount::read_only).await;
        self.make("reader", &reader, named("prod-reader")).await;
        let writer = self.account("writer", |new| new).await;
        self.make("writer", &writer, named("prod-writer")).await;
    }

    async fn dead_by_hand(&mut self) {
        let revoked = self.alices("revoked", |new| new).await.key.id;
        self.world.authority.revoke(&admin(), &revoked).await.expect("it is revoked");
        let disabled = self.alices("disabled", |new| new).await.key.id;
        self.world.authority.disable(&admin(), &disabled).await.expect("it is disabled");
        let begin = keywright::Clock::now(&self.world.clock).saturating_add(DAY);
        self.alices("scheduled", |new| new.not_before(begin)).await;
    }

    async fn dead_by_account_or_tenant(&mut self) {
        let owner = self.account("dormant", |new| new).await;
        self.make("dormant", &owner, named("prod-dormant")).await;
        if let Owner::Account(account) = &owner {
            let done = self.world.authority.disable_account(&admin(), account).await;
            done.expect("it is disabled");
        }
        self.elsewhere("access_off", |policy| policy.settings.api_enabled = Some(false)).await;
        self.elsewhere("plan_off", |policy| policy.plan.api_access = false).await;

        let peppers = PepperRing::none().with(9, [9; 32]).expect("a pepper");
        let peppered = self.world.with_settings(|builder| builder.peppers(peppers));
        let issued = peppered.key_of(&developer("alice"), named("prod-peppered")).await;
        self.keep("peppered", &issued);
    }

    /// Adds well-formed tokens of no key, with a valid checksum.
    fn forged(&mut self) {
        let (id, secret) = (self.id_text("good").to_owned(), self.secret_text("good").to_owned());
        let secret = &secret[..32];
        let other: String = secret.chars().rev().collect();
        self.tokens.insert("unknown", render("acme_live", "0000000000000000", secret));
        self.tokens.insert("wrong_secret", render("acme_live", &id, &other));
        self.tokens.insert("wrong_prefix", render("acme_test", &id, secret));
        let good = self.token("good");
        let last = if good.ends_with('0') { '1' } else { '0' };
        let typo = format!("{}{last}", &good[..good.len() - 1]);
        self.tokens.insert("bad_check", typo);
    }

    async fn account(&self, name: &str, change: impl FnOnce(NewAccount) -> NewAccount) -> Owner {
        let role = "operator".parse().expect("a role");
        let new = change(NewAccount::new(name.parse().expect("a name"), role));
        let account = self.world.authority.create_account(&admin(), new).await;
        Owner::Account(account.expect("an account").account.id)
    }

    /// Adds a key of a tenant whose policy changes after the key is generated.
    async fn elsewhere(&mut self, name: &'static str, change: impl FnOnce(&mut Policy)) {
        let tenant = TenantId::new(name.replace('_', "-")).expect("a tenant");
        let ivy = Actor::administrator(user("ivy")).in_tenant(tenant);
        let issued = self.world.key_of(&ivy, named("prod-elsewhere")).await;
        common::set_policy(&self.world.authority, &ivy, change).await.expect("it is possible");
        self.keep(name, &issued);
    }
}
