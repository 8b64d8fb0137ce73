//! Events generated from their schemas: samples, random ones, invalid ones.

use std::collections::BTreeSet;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestError, TestRunner};
use twyla_kit::contracts::Context;
use twyla_kit::contracts::api::UserInput;
use twyla_kit::contracts::bot::{Reply, ReplyMood};
use twyla_runtime::event::Emit;
use twyla_runtime::testing::{Sample, any, any_context, broken, sample, sample_context, samples};

use crate::{context, service};

#[test]
fn a_sample_has_all_properties_and_is_deterministic() {
    let input = UserInput::sample();
    assert_eq!(
        (input.emission.as_str(), input.language.as_deref(), input.attempt),
        ("Hello there", Some("en"), Some(1))
    );
    assert_eq!(format!("{input:?}"), format!("{:?}", sample::<UserInput>()));
    assert!(!sample_context::<Context>().channel.is_empty());
    let moods: BTreeSet<_> = samples::<Reply>().iter().map(|it| format!("{:?}", it.mood)).collect();
    assert_eq!(moods.len(), 4, "each mood is a choice, and none is: {moods:?}");
    assert!(samples::<UserInput>().iter().any(|it| it.language.is_none()), "what isn't required is left out in some");
}

#[tokio::test]
async fn each_rule_has_an_invalid_content_that_is_dead_lettered_for_it() {
    let test = service().await;
    let all = broken::<UserInput>();
    let rules: BTreeSet<_> = all.iter().map(|it| (it.pointer.as_str(), it.keyword.as_str())).collect();
    for rule in [
        ("", "required"),
        ("", "type"),
        ("/attempt", "maximum"),
        ("/attempt", "minimum"),
        ("/attempt", "type"),
        ("/emission", "maxLength"),
        ("/emission", "minLength"),
        ("/language", "pattern"),
    ] {
        assert!(rules.contains(&rule), "{rule:?} is missing: {rules:?}");
    }
    for broken in all {
        test.give_json::<UserInput>(&broken.content, &context()).await;
        let letter = test.expect_parked::<UserInput>("bot");
        let violation = &letter.violations[0];
        let pointer = format!("/content{}", broken.pointer);
        assert_eq!((&violation.pointer, &violation.keyword), (&pointer, &broken.keyword), "{}", broken.content);
    }
}

#[test]
fn generated_events_are_valid_and_differ_between_tests() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    let (mut with, mut moods) = (0, BTreeSet::new());
    for _ in 0..256 {
        let input = any::<UserInput>().new_tree(&mut runner).unwrap().current();
        input.encode(&mut Vec::new()).unwrap();
        with += usize::from(input.language.is_some());
        seen.insert(input.emission);
        let reply = any::<Reply>().new_tree(&mut runner).unwrap().current();
        reply.encode(&mut Vec::new()).unwrap();
        moods.insert(format!("{:?}", reply.mood));
        any_context::<Context>().new_tree(&mut runner).unwrap();
    }
    assert!(seen.len() > 128, "{} different texts of 256", seen.len());
    assert!((64..192).contains(&with), "{with} of 256 have a language");
    assert_eq!(moods.len(), 4, "three and none");
}

#[test]
fn failing_events_are_shrunk_to_a_minimum() {
    let mut runner = TestRunner::new_with_rng(
        Config { failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let failed = runner.run(&any::<UserInput>(), |input| {
        proptest::prop_assert!(input.attempt.is_none_or(|attempt| attempt < 7));
        Ok(())
    });
    let Err(TestError::Fail(_, least)) = failed else { panic!("an attempt of 7 or more was to be found") };
    assert_eq!((least.emission.as_str(), least.language, least.attempt), ("a", None, Some(7)));

    let failed = runner.run(&any::<Reply>(), |reply| {
        proptest::prop_assert!(reply.mood != Some(ReplyMood::Sorry) || reply.suggestions.is_none());
        Ok(())
    });
    let Err(TestError::Fail(_, least)) = failed else { panic!("a sorry one with suggestions was to be found") };
    assert_eq!((least.text.as_str(), least.mood), ("a", Some(ReplyMood::Sorry)));
    assert_eq!(least.suggestions.map(|it| it.len()), Some(0));
}
