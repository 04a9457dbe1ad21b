//! Rewriting results, compared with parsing them.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::*;

fn rewritten(text: &[u8], set: &[(&str, &str)], size: usize) -> Result<Vec<u8>, NotAnObject> {
    let (mut rewriter, mut out) = (Rewriter::new(set.iter().copied()), Vec::new());
    for chunk in text.chunks(size) {
        rewriter.push(chunk, &mut out)?;
    }
    rewriter.finish().map(|()| out)
}

fn to_cls(text: &str) -> String {
    let whole = rewritten(text.as_bytes(), &[("cls", "\"new\"")], text.len()).unwrap();
    assert_eq!(rewritten(text.as_bytes(), &[("cls", "\"new\"")], 1).unwrap(), whole);
    String::from_utf8(whole).unwrap()
}

#[test]
fn a_value_is_replaced_in_place_and_the_rest_is_verbatim() {
    assert_eq!(
        to_cls(" {\"a\" : NaN,\n\"cls\":\t\"old\" , \"b\": [1.50, -Infinity]}\n"),
        " {\"a\" : NaN,\n\"cls\":\t\"new\" , \"b\": [1.50, -Infinity]}\n"
    );
}

#[test]
fn any_kind_of_value_is_replaced_as_a_whole() {
    for old in ["1", "-0.5e+7", "null", "NaN", "\"\\\"}\"", "{\"cls\": {\"cls\": 1}}", "[]", "{}"] {
        assert_eq!(to_cls(&format!("{{\"cls\": {old}}}")), "{\"cls\": \"new\"}");
        assert_eq!(to_cls(&format!("{{\"cls\":{old} ,\"b\":1}}")), "{\"cls\":\"new\" ,\"b\":1}");
    }
}

#[test]
fn the_same_key_further_inside_is_another() {
    assert_eq!(
        to_cls(r#"{"a": {"cls": 1}, "b": [{"cls": 2}], "cls": 3}"#),
        r#"{"a": {"cls": 1}, "b": [{"cls": 2}], "cls": "new"}"#
    );
}

#[test]
fn a_missing_key_is_added_at_the_end() {
    assert_eq!(to_cls(r#"{"a": "cls"}"#), r#"{"a": "cls", "cls": "new"}"#);
    assert_eq!(to_cls("{ }"), r#"{ "cls": "new"}"#);
    let two = rewritten(b"{}", &[("a\"\n", "1"), ("b", "[]")], 9).unwrap();
    assert_eq!(String::from_utf8(two).unwrap(), r#"{"a\"\u000a": 1, "b": []}"#);
}

#[test]
fn a_key_is_recognized_however_it_is_spelled() {
    assert_eq!(to_cls(r#"{"\u0063l\u0073": 1}"#), r#"{"\u0063l\u0073": "new"}"#);
    for (key, spelled) in [("é/😀", r"\u00e9\/\ud83d\uDE00"), ("é/😀", "é/😀"), ("\t\\", r"\t\\")]
    {
        let text = format!("{{\"{spelled}\": 1}}");
        let out = rewritten(text.as_bytes(), &[(key, "2")], 1).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("{{\"{spelled}\": 2}}"));
    }
}

#[test]
fn half_a_surrogate_pair_is_read_but_is_no_key_to_set() {
    for key in
        [r"\ud83d", r"\ude00", r"cls\ud83d", r"\ud83dcls", r"\ud83d\ud83d\ude00", r"\ude00\ud83d"]
    {
        let text = format!("{{\"{key}\": 1}}");
        for set in ["cls", "😀", "\u{fffd}"] {
            let out = rewritten(text.as_bytes(), &[(set, "2")], 1).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), format!("{{\"{key}\": 1, \"{set}\": 2}}"));
        }
    }
}

#[test]
fn every_occurrence_of_a_key_is_replaced() {
    assert_eq!(to_cls(r#"{"cls": 1, "cls": 2}"#), r#"{"cls": "new", "cls": "new"}"#);
}

#[test]
fn what_is_no_object_is_told_where_it_goes_wrong() {
    let at = |text: &[u8]| match rewritten(text, &[], 1) {
        Err(NotAnObject::Unexpected { offset }) => offset,
        other => panic!("{other:?}"),
    };
    assert_eq!(at(b"[]"), 0);
    assert_eq!(at(b"\xef\xbb\xbf{}"), 0);
    assert_eq!(at(b"{} {"), 3);
    assert_eq!(at(b"{\"a\": 01}"), 7);
    assert_eq!(at(b"{\"a\": [}"), 7);
    assert_eq!(at(b"{\"a\": 1]"), 7);
    assert_eq!(at(b"{\"a\": \"\n\"}"), 7);
    assert_eq!(at(b"{\"a\": \"\xc3(\"}"), 8);
    assert_eq!(at(b"{\"a\": \"\xed\xa0\x80\"}"), 8);
    assert_eq!(at(b"{\"a\": Nan}"), 8);
    assert_eq!(at(b"{\"a\" 1}"), 5);
    assert_eq!(at(b"{\"a\": 1,}"), 8);
}

#[test]
fn a_file_that_was_cut_off_is_not_an_object() {
    let text = r#"{"a": [1, {"b": "\u00e9é"}], "c": -1.5e3} "#;
    for length in 0..text.len() - 2 {
        let cut = rewritten(&text.as_bytes()[..length], &[("c", "0")], 1);
        assert_eq!(cut, Err(NotAnObject::Unfinished { length: length as u64 }));
    }
    assert!(rewritten(&text.as_bytes()[..text.len() - 1], &[], 1).is_ok());
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth: usize| format!("{{\"a\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(rewritten(nested(DEEPEST - 1).as_bytes(), &[], 64).is_ok());
    let refused = rewritten(nested(DEEPEST).as_bytes(), &[], 64);
    assert_eq!(refused, Err(NotAnObject::TooDeep { offset: DEEPEST as u64 + 5 }));
}

#[test]
fn a_long_key_is_not_kept() {
    let mut rewriter = Rewriter::new([("cls", "1")]);
    let mut out = Vec::new();
    rewriter.push(b"{\"cls", &mut out).unwrap();
    for _ in 0..1_000 {
        rewriter.push(&[b'x'; 1_000], &mut out).unwrap();
        out.clear();
    }
    assert!(rewriter.key.capacity() < 64);
    rewriter.push(b"\": 2}", &mut out).unwrap();
    assert_eq!(out, b"\": 2, \"cls\": 1}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_object_is_the_same_but_for_what_was_set(
        object in objects(),
        pretty in any::<bool>(),
        set in prop::collection::btree_map(keys(), values(), 0..3),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let text = if pretty { serde_json::to_vec_pretty(&object) } else { serde_json::to_vec(&object) };
        let text = text.unwrap();
        let settings: Vec<(String, String)> =
            set.iter().map(|(key, value)| (key.clone(), value.to_string())).collect();

        let mut rewriter = Rewriter::new(settings.iter().map(|(key, it)| (key.as_str(), it.as_str())));
        let mut out = Vec::new();
        let mut cuts: Vec<usize> = cuts.iter().map(|it| it.index(text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        for cut in cuts.windows(2) {
            prop_assert_eq!(rewriter.push(&text[cut[0]..cut[1]], &mut out), Ok(()));
        }
        prop_assert_eq!(rewriter.finish(), Ok(()));

        if set.is_empty() {
            prop_assert_eq!(&out, &text);
        }
        let mut expected = object;
        expected.extend(set);
        prop_assert_eq!(serde_json::from_slice::<Map<String, Value>>(&out).unwrap(), expected);
    }

    #[test]
    fn what_is_damaged_is_accepted_when_a_parser_accepts_it(
        object in objects(),
        at in any::<prop::sample::Index>(),
        with in prop::collection::vec(prop::sample::select(b"{}[],:\"0123eE.+-\\ tfnl".to_vec()), 0..3),
        replaced in 0_usize..3,
    ) {
        let mut text = serde_json::to_string(&object).unwrap().into_bytes();
        let at = at.index(text.len());
        text.splice(at..(at + replaced).min(text.len()), with);
        // Parts of characters are judged by another test.
        prop_assume!(std::str::from_utf8(&text).is_ok());
        let blank = |it: &u8| it.is_ascii_whitespace();
        let parsed = serde_json::from_slice::<IgnoredAny>(&text).is_ok()
            && text.iter().find(|it| !blank(it)) == Some(&b'{');
        prop_assert_eq!(rewritten(&text, &[], 7).is_ok(), parsed, "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused(bytes in prop::collection::vec(0x7f_u8..=0xff, 0..5)) {
        let text = [b"{\"a\": \"", bytes.as_slice(), b"\"}"].concat();
        prop_assert_eq!(rewritten(&text, &[], 2).is_ok(), std::str::from_utf8(&bytes).is_ok());
    }
}

fn objects() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map(keys(), values(), 0..5).prop_map(|it| it.into_iter().collect())
}

/// Few and awkward, so that the same ones come up at all depths.
fn keys() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["cls", "a", "", "é", "\"", "\\", "\u{1}", "😀", "{", "config"])
        .prop_map(str::to_owned)
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(|it: f64| Value::from(it.round() / 8.0)),
        "[ -~é😀\n\t\u{1}\"\\\\]{0,6}".prop_map(Value::from),
        keys().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(keys(), inner, 0..4)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}
