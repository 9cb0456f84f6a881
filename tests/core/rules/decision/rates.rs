//! Spent uses keep counting when rates change, clocks go back, or keys come and go, and no change
//! restores them early.

use std::time::Duration;

use keywright::store::{Batch, Change, KeyStore, MemoryStore, TenantPolicy};
use keywright::{KeyEdit, Policy, Rate, Settings, Timestamp};

use common::{
    DAY, HOUR, MOMENT, SECOND, World, admin, block_on, denial, developer, named, start, tenant,
};

fn rate(text: &str) -> Rate {
    text.parse().expect("a rate")
}

/// The steps that these tests repeat on a world.
trait Spending {
    /// Sets the default rate and the maximum number of keys of an owner.
    async fn set_default(&self, default: &str, keys: u16);
    /// Counts how many of at most `most` uses are admitted now.
    async fn admitted(&self, token: &str, most: usize) -> usize;
    /// Returns the wait that a refused use is told now.
    async fn wait(&self, token: &str) -> Duration;
}

impl Spending for World {
    async fn set_default(&self, default: &str, keys: u16) {
        let set = |policy: &mut Policy| {
            policy.settings.default_rate = Some(rate(default));
            policy.settings.max_keys_per_user = Some(keys);
        };
        self.set_policy(set).await.expect("the policy is set");
    }

    async fn admitted(&self, token: &str, most: usize) -> usize {
        for count in 0..most {
            if self.verifier.verify(token).await.is_err() {
                return count;
            }
        }
        most
    }

    async fn wait(&self, token: &str) -> Duration {
        denial(self.verifier.verify(token).await).retry_after().expect("a spent rate")
    }
}

#[test]
fn t_c15_raised_rate_frees_its_key() {
    block_on(async {
        let world = World::in_memory();
        let issued = world.key_of(&admin(), named("app").rate(rate("10/86400s"))).await;
        let token = issued.token.expose();
        assert_eq!(world.admitted(token, 20).await, 10);
        let edit = KeyEdit::new().rate(Some(rate("1000/60s")));
        world.authority.edit(&admin(), &issued.key.id, edit).await.expect("it is raised");
        assert_eq!(world.admitted(token, 2_000).await, 990);
        assert_eq!(world.wait(token).await, Duration::from_millis(60));
    });
}

#[test]
fn t_c15_raised_policy_rate_frees_its_keys() {
    block_on(async {
        let world = World::in_memory();
        world
            .set_policy(|policy| policy.settings.default_rate = Some(rate("10/86400s")))
            .await
            .expect("the policy is set");
        let issued = world.key().await;
        let token = issued.token.expose();
        assert_eq!(world.admitted(token, 20).await, 10);
        world
            .set_policy(|policy| policy.settings.default_rate = Some(rate("1000/60s")))
            .await
            .expect("the policy is set");
        assert_eq!(world.admitted(token, 2_000).await, 990);
    });
}

#[test]
fn t_c15_backward_clock_locks_no_key_out() {
    block_on(async {
        let world = World::in_memory();
        let issued = world.key_of(&developer("alice"), named("app").rate(rate("1/60s"))).await;
        world.clock.set(start().saturating_add(31 * DAY));
        assert_eq!(world.admitted(issued.token.expose(), 2).await, 1);
        world.clock.set(start());
        assert_eq!(world.wait(issued.token.expose()).await, 60 * SECOND);
        world.clock.advance(60 * SECOND);
        assert_eq!(world.admitted(issued.token.expose(), 2).await, 1);
    });
}

#[test]
fn t_c15_stated_wait_is_enough() {
    block_on(async {
        for (text, uses) in [("7/1s", 7), ("3/1s", 3), ("999/60s", 999), ("1/2678400s", 1)] {
            let world = World::in_memory();
            let issued = world.key_of(&admin(), named("app").rate(rate(text))).await;
            let token = issued.token.expose();
            assert_eq!(world.admitted(token, 2_000).await, uses, "{text}");
            for _ in 0..5 {
                let wait = world.wait(token).await;
                world.clock.advance(wait.checked_sub(MOMENT).expect("a wait"));
                assert_eq!(world.wait(token).await, MOMENT, "{text}: not before");
                world.clock.advance(MOMENT);
                assert_eq!(world.admitted(token, 2).await, 1, "{text}: after {wait:?}");
            }
        }
    });
}

#[test]
fn t_c15_toggled_rate_gains_no_use() {
    block_on(async {
        let world = World::in_memory();
        let alice = developer("alice");
        world
            .set_policy(|policy| policy.settings.default_rate = Some(rate("2/120s")))
            .await
            .expect("the policy is set");
        let issued = world.key_of(&alice, named("app")).await;
        let mut admitted = 0;
        for n in 0..100 {
            let text = if n % 2 == 0 { "1/60s" } else { "2/120s" };
            let edit = KeyEdit::new().rate(Some(rate(text)));
            world.authority.edit(&alice, &issued.key.id, edit).await.expect("within the default");
            admitted += world.admitted(issued.token.expose(), 5).await;
            world.clock.advance(Duration::from_millis(10));
        }
        assert_eq!(admitted, 2, "the burst of the policy's rate");
    });
}

#[test]
fn t_c15_regenerated_keys_gain_no_uses() {
    block_on(async {
        let world = World::in_memory();
        let alice = developer("alice");
        world.set_default("2/60s", 3).await;
        let mut admitted = 0;
        for n in 0..100 {
            let new = named("app");
            let new = if n % 2 == 0 { new } else { new.rate(rate("1/30s")) };
            let issued = world.key_of(&alice, new).await;
            admitted += world.admitted(issued.token.expose(), 5).await;
            if n % 3 == 0 {
                world.authority.delete(&alice, &issued.key.id).await.expect("it is deleted");
            } else {
                world.authority.revoke(&alice, &issued.key.id).await.expect("it is revoked");
            }
        }
        assert_eq!(admitted, 6, "the uses of three keys, the owner's maximum");
        // Another owner has an allowance of their own.
        let issued = world.key_of(&developer("bob"), named("app")).await;
        assert_eq!(world.admitted(issued.token.expose(), 5).await, 2);
        // A new key gets the same wait: until the owner's allowance has refilled.
        let late = world.key_of(&alice, named("app")).await;
        assert_eq!(world.wait(late.token.expose()).await, 10 * SECOND);
        world.clock.advance(10 * SECOND);
        assert_eq!(world.admitted(late.token.expose(), 5).await, 1);
    });
}

#[test]
fn owner_without_limit_gains_few_uses() {
    block_on(async {
        let world = World::in_memory();
        let account = world.account("nightly", "analyst").await.expect("an account");
        let default = Some(rate("2/60s"));
        world.set_policy(|policy| policy.settings.default_rate = default).await.expect("it is set");
        let old = world.generate_under(&account, named("old")).await.expect("a key");
        world.clock.advance(60 * SECOND);
        let mut admitted = 0;
        for _ in 0..1_200 {
            let issued = world.generate_under(&account, named("app")).await.expect("a key");
            admitted += world.admitted(issued.token.expose(), 3).await;
            world.authority.delete(&admin(), &issued.key.id).await.expect("it is deleted");
        }
        assert_eq!(admitted, 2_000, "the uses of 1,000 keys");
        assert_eq!(world.admitted(old.token.expose(), 5).await, 2, "an old key has its own rate");
        let organization = named("app").owner(keywright::Owner::Organization);
        let issued = world.authority.generate(&admin(), organization).await.expect("a key");
        assert_eq!(world.admitted(issued.token.expose(), 5).await, 2, "another owner");
    });
}

#[test]
fn allowed_keys_each_have_whole_rates() {
    block_on(async {
        let world = World::in_memory();
        world.set_default("5/60s", 4).await;
        let mut keys = Vec::new();
        for _ in 0..4 {
            keys.push(world.key().await);
        }
        for _ in 0..3 {
            for issued in &keys {
                assert_eq!(world.admitted(issued.token.expose(), 9).await, 5);
            }
            // Older keys share no allowance, even if the owner's maximum is now lower.
            world.clock.advance(HOUR);
            world
                .set_policy(|policy| policy.settings.max_keys_per_user = Some(1))
                .await
                .expect("the policy is set");
        }
    });
}

#[test]
fn administrator_rate_is_not_shared() {
    block_on(async {
        let world = World::in_memory();
        world.set_default("2/60s", 2).await;
        let alice = developer("alice").as_owner();
        let new = named("big").rate(rate("1000/60s"));
        let granted =
            world.authority.generate(&admin(), new.owner(alice.clone())).await.expect("a key");
        let plain = world.key().await;
        assert_eq!(world.admitted(granted.token.expose(), 2_000).await, 1_000);
        assert_eq!(world.admitted(plain.token.expose(), 5).await, 2);
    });
}

#[test]
fn owner_rate_falls_with_the_default() {
    block_on(async {
        let world = World::in_memory();
        let alice = developer("alice");
        world
            .set_policy(|policy| policy.settings.default_rate = Some(rate("10/60s")))
            .await
            .expect("the policy is set");
        let same = world.key_of(&alice, named("same").rate(rate("10/60s"))).await;
        let less = world.key_of(&alice, named("less").rate(rate("3/60s"))).await;
        let new = named("granted").rate(rate("10/60s"));
        let granted = world.authority.generate(&admin(), new).await.expect("a key");
        world
            .set_policy(|policy| policy.settings.default_rate = Some(rate("4/60s")))
            .await
            .expect("the policy is set");
        world.clock.set(Timestamp::from_unix_micros(start().unix_micros() + 1).expect("a time"));
        assert_eq!(world.admitted(same.token.expose(), 20).await, 4);
        assert_eq!(world.admitted(less.token.expose(), 20).await, 3);
        assert_eq!(world.admitted(granted.token.expose(), 20).await, 10);
    });
}

#[test]
fn regenerated_old_key_gains_no_uses() {
    block_on(async {
        let world = World::in_memory();
        let alice = developer("alice");
        world.set_default("2/60s", 1).await;
        let mut admitted = 0;
        let mut issued = world.key_of(&alice, named("app")).await;
        for _ in 0..10 {
            world.clock.advance(60 * SECOND);
            admitted += world.admitted(issued.token.expose(), 9).await;
            world.authority.delete(&alice, &issued.key.id).await.expect("it is deleted");
            issued = world.key_of(&alice, named("app")).await;
            admitted += world.admitted(issued.token.expose(), 9).await;
        }
        assert_eq!(admitted, 20, "the uses of one key in ten periods");
    });
}

#[test]
fn old_keys_never_starve_new_one() {
    block_on(async {
        let world = World::in_memory();
        world.set_default("5/60s", 4).await;
        let mut keys = Vec::new();
        for _ in 0..3 {
            keys.push(world.key().await);
        }
        world.clock.advance(HOUR);
        for issued in &keys {
            assert_eq!(world.admitted(issued.token.expose(), 9).await, 5);
        }
        let new = world.key().await;
        assert_eq!(world.admitted(new.token.expose(), 9).await, 5);
        for _ in 0..30 {
            world.clock.advance(12 * SECOND);
            for issued in keys.iter().chain([&new]) {
                assert_eq!(world.admitted(issued.token.expose(), 9).await, 1);
            }
        }
    });
}

#[test]
fn lowered_default_widens_no_rate() {
    block_on(async {
        let world = World::in_memory();
        world
            .set_policy(|policy| policy.settings.default_rate = Some(rate("100/60s")))
            .await
            .expect("the policy is set");
        let issued = world.key_of(&developer("alice"), named("app").rate(rate("100/86400s"))).await;
        world
            .set_policy(|policy| policy.settings.default_rate = Some(rate("50/60s")))
            .await
            .expect("the policy is set");
        let mut admitted = 0;
        for _ in 0..24 {
            admitted += world.admitted(issued.token.expose(), 200).await;
            world.clock.advance(HOUR);
        }
        // 50 at once from the default rate, then one in 864 s from the key's own rate.
        assert_eq!(admitted, 50 + 23 * 3_600 / 864);
    });
}

#[test]
fn stated_wait_covers_the_owner() {
    block_on(async {
        let world = World::in_memory();
        world.set_default("10/60s", 3).await;
        let keys = [world.key().await, world.key().await, world.key().await];
        for issued in &keys {
            assert_eq!(world.admitted(issued.token.expose(), 20).await, 10);
        }
        world
            .set_policy(|policy| policy.settings.max_keys_per_user = Some(2))
            .await
            .expect("the policy is set");
        // Ten uses above the allowance refill in 20 s and one more in 3 s; the key's own rate would
        // refill one in 6 s.
        assert_eq!(world.wait(keys[0].token.expose()).await, 23 * SECOND);
        world.clock.advance(23 * SECOND);
        assert_eq!(world.admitted(keys[0].token.expose(), 9).await, 1);
    });
}

#[test]
fn unvalidated_policy_breaks_no_rate() {
    block_on(async {
        for keys in [0, u16::MAX] {
            let store = MemoryStore::new();
            let world = World::on(store.clone());
            let issued = world.key().await;
            for (version, text) in [(1, "1000000/2678400s"), (2, "1/1s")] {
                let mut settings = Settings::enabled();
                settings.default_rate = Some(rate(text));
                settings.max_keys_per_user = Some(keys);
                let (plan, settings) = (Some(world.policy().await.plan), Some(settings));
                let policy = TenantPolicy { plan, settings, version };
                let put = Change::PutPolicy { tenant: tenant(), policy };
                let batch = Batch { changes: vec![put], ..Batch::of(tenant()) };
                store.commit(batch).await.expect("a store checks no policy");
                let _ = world.verifier.verify(issued.token.expose()).await;
            }
            world.clock.advance(DAY);
            assert_eq!(world.admitted(issued.token.expose(), 1).await, 1);
        }
    });
}
