//! Numeric limits of values: networks, rates, metadata, times and peppers.

use std::time::Duration;

use keywright::{
    Metadata, MetadataError, Network, NetworkError, Networks, PepperError, PepperRing, Rate,
    RateError, TimeError, Timestamp,
};

use super::{assert_says_something, reads_back, refuses};
use common::{MOMENT, time};

#[test]
fn network_text_has_one_meaning() {
    reads_back::<Network>(&["203.0.113.0/24", "0.0.0.0/0", "2001:db8::/32", "::/0"]);
    let printed = |text: &str| text.parse::<Network>().expect(text).to_string();
    assert_eq!(printed("203.0.113.7"), "203.0.113.7/32");
    assert_eq!(printed("2001:DB8::1"), "2001:db8::1/128");
    assert_eq!(printed("::ffff:203.0.113.7"), "203.0.113.7/32");
    let malformed = [
        "",
        "x",
        "203.0.113",
        "203.0.113.0/33",
        "203.0.113.0/-1",
        "203.0.113.0/",
        "2001:db8::/129",
        "203.0.113.256",
        "010.0.0.1",
        "203.0.113.0/24 ",
        "203.0.113.0-9",
        "*",
    ];
    refuses::<Network>(&malformed);
    for text in malformed {
        let error = text.parse::<Network>().expect_err(text);
        assert!(matches!(error, NetworkError::Malformed(_)), "{text:?}: {error:?}");
    }
    for (text, network) in
        [("203.0.113.1/24", "203.0.113.0/24"), ("2001:db8::1/32", "2001:db8::/32")]
    {
        let error = text.parse::<Network>().expect_err(text);
        let host_bits = NetworkError::HostBits { given: text.into(), network: network.into() };
        assert_eq!(error, host_bits);
        assert!(error.to_string().contains(network), "{error}");
    }
    for text in ["::ffff:203.0.113.0/120", "::ffff:0:0/96", "::ffff:203.0.113.7/128"] {
        let error = text.parse::<Network>().expect_err(text);
        assert!(matches!(error, NetworkError::MappedIpv4(_)), "{text:?}: {error:?}");
    }
}

#[test]
fn t_d06_key_holds_32_networks() {
    let text = |n: usize| (0..n).map(|n| format!("10.0.{n}.0/24")).collect::<Vec<_>>().join(" ");
    assert_eq!(text(32).parse::<Networks>().expect("32").iter().count(), 32);
    assert_eq!(text(33).parse::<Networks>(), Err(NetworkError::TooMany(33)));
    let json = serde_json::to_value(text(33).split(' ').collect::<Vec<_>>()).expect("JSON");
    assert!(serde_json::from_value::<Networks>(json).is_err());
}

#[test]
fn rate_has_uses_and_whole_seconds() {
    reads_back::<Rate>(&["1/1s", "100/60s", "1000000/2678400s"]);
    let table = [
        ("0/60s", RateError::Uses(0)),
        ("1000001/60s", RateError::Uses(1_000_001)),
        ("1/0s", RateError::Period(Duration::ZERO)),
        ("1/2678401s", RateError::Period(Duration::from_secs(2_678_401))),
        ("1/18446744073709551615s", RateError::Period(Duration::from_secs(u64::MAX))),
    ];
    for (text, expected) in table {
        assert_eq!(text.parse::<Rate>(), Err(expected), "{text}");
        refuses::<Rate>(&[text]);
    }
    let malformed =
        ["", "1", "1/", "/1s", "1/1", "1/1m", "-1/1s", "1.5/1s", "4294967296/1s", "1/1s "];
    refuses::<Rate>(&malformed);
    for text in malformed {
        assert!(matches!(text.parse::<Rate>(), Err(RateError::Malformed(_))), "{text:?}");
    }
    for part in [Duration::from_millis(1_500), Duration::from_nanos(1), Duration::MAX] {
        assert_eq!(Rate::new(1, part), Err(RateError::Period(part)));
    }
}

#[test]
fn t_d06_metadata_is_32_entries_of_plain_text() {
    let entries = |n: usize| (0..n).map(|n| (format!("k{n}"), "v"));
    assert_eq!(Metadata::new(entries(32)).expect("32").iter().count(), 32);
    assert_eq!(Metadata::new(entries(33)), Err(MetadataError::TooMany(33)));
    let one = |key: &str, value: &str| Metadata::new([(key.to_owned(), value.to_owned())]);
    one(&"k".repeat(64), &"v".repeat(512)).expect("at both limits");
    one("k", "").expect("a value may be empty");
    assert!(matches!(one("", "v"), Err(MetadataError::Key(_))));
    assert!(matches!(one(&"k".repeat(65), "v"), Err(MetadataError::Key(_))));
    assert!(matches!(one(&"\u{e9}".repeat(33), "v"), Err(MetadataError::Key(_))), "bytes count");
    assert!(matches!(one("a\nb", "v"), Err(MetadataError::Key(_))));
    for value in [&"v".repeat(513), &"\u{e9}".repeat(257), "a\r\nb", "\0", "\u{1b}[2J"] {
        let error = one("team", value).expect_err("past a limit");
        assert_eq!(error, MetadataError::Value("team".to_owned()));
        assert_says_something(&error.to_string());
    }
    assert!(serde_json::from_str::<Metadata>(r#"{"":"v"}"#).is_err());
}

#[test]
fn time_is_rfc_3339_until_9999() {
    reads_back::<Timestamp>(&[
        "1970-01-01T00:00:00Z",
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00.000001Z",
        "9999-12-31T23:59:59.999999Z",
    ]);
    assert_eq!(time("2026-11-21T12:00:00+02:00").to_string(), "2026-11-21T10:00:00Z");
    assert_eq!(time("2026-11-21T12:00:00.0000019Z").to_string(), "2026-11-21T12:00:00.000001Z");
    let malformed = ["", "now", "2026-11-21", "2026-11-21T12:00:00", "2026-02-30T00:00:00Z"];
    refuses::<Timestamp>(&malformed);
    for text in malformed {
        assert!(matches!(text.parse::<Timestamp>(), Err(TimeError::NotRfc3339(_))), "{text:?}");
    }
    for text in ["1969-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-01:00"] {
        refuses::<Timestamp>(&[text]);
        assert!(matches!(text.parse::<Timestamp>(), Err(TimeError::OutOfRange)), "{text:?}");
    }
}

#[test]
fn t_a14_times_saturate_and_never_wrap() {
    let (min, max) = (Timestamp::MIN, Timestamp::MAX);
    for huge in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_secs(1 << 40)] {
        assert_eq!(min.checked_add(huge), None, "{huge:?}");
        assert_eq!(min.saturating_add(huge), max);
        assert_eq!(max.saturating_sub(huge), min);
    }
    assert_eq!(max.checked_add(MOMENT), None);
    assert_eq!(max.saturating_sub(MOMENT).checked_add(MOMENT), Some(max));
    assert_eq!(min.saturating_sub(MOMENT), min);
    assert_eq!(min.since(max), Duration::ZERO);
    assert_eq!(min.saturating_add(max.since(min)), max);
    for micros in [-1, max.unix_micros() + 1, i64::MIN, i64::MAX] {
        assert_eq!(Timestamp::from_unix_micros(micros), None);
        assert_eq!(Timestamp::from_unix_seconds(micros), None);
    }
    assert!(min.has_passed(min) && max.has_passed(max) && !max.has_passed(min));
}

#[test]
fn pepper_is_long_and_its_id_unique() {
    let short = PepperRing::none().with(1, [7; 31]).expect_err("31 bytes");
    assert_eq!(short, PepperError::TooShort { id: 1, len: 31 });
    let ring = PepperRing::none().with(1, [7; 32]).expect("32 bytes");
    assert_eq!(ring.clone().with(1, [8; 32]).expect_err("again"), PepperError::Duplicate(1));
    assert_says_something(&short.to_string());
    assert_says_something(&PepperError::Duplicate(1).to_string());
    assert_eq!(ring.with(0, vec![1; 1 << 20]).expect("any length").current(), Some(0));
    assert_eq!(PepperRing::none().current(), None);
}
