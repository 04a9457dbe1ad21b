//! BSON as pages get it.

use base64::{Engine, engine::general_purpose::STANDARD};
use bson::{Bson, Document};
use model::{Scalar, Value, quoted};

/// How many letters of a value are shown.
const SHOWN: usize = 300;

/// A value with its types and the order of its keys.
pub fn value(of: &Bson) -> Value {
    match of {
        Bson::Document(inner) => document(inner),
        Bson::Array(items) => Value::List(items.iter().map(value).collect()),
        scalar => Value::Scalar(Scalar { json: json(scalar), shown: shown(scalar) }),
    }
}

/// A document with its types and the order of its keys.
pub fn document(of: &Document) -> Value {
    Value::Document(of.iter().map(|(key, it)| (key.clone(), value(it))).collect())
}

/// Canonical extended JSON of what has no inside.
fn json(scalar: &Bson) -> String {
    match scalar {
        Bson::String(text) => quoted(text),
        Bson::Int32(it) => format!("{{\"$numberInt\":\"{it}\"}}"),
        Bson::Int64(it) => format!("{{\"$numberLong\":\"{it}\"}}"),
        Bson::Double(it) => {
            let text = format!("{it:?}").replace("inf", "Infinity");
            format!("{{\"$numberDouble\":\"{text}\"}}")
        }
        // Which bson writes as a list of numbers.
        Bson::Binary(it) => format!(
            "{{\"$binary\":{{\"base64\":\"{}\",\"subType\":\"{:02x}\"}}}}",
            STANDARD.encode(&it.bytes),
            u8::from(it.subtype)
        ),
        // Of these it writes no other form.
        other => serde_json::to_string(other).unwrap_or_else(|_| "null".to_owned()),
    }
}

/// The same for people: of two types no two values look the same.
fn shown(scalar: &Bson) -> String {
    match scalar {
        Bson::String(text) => cut(&quoted(text)),
        Bson::Null => "null".to_owned(),
        Bson::Boolean(it) => it.to_string(),
        Bson::Int32(it) => it.to_string(),
        Bson::Int64(it) => format!("{it} (64 bits)"),
        Bson::Double(it) => format!("{it:?}"),
        Bson::ObjectId(it) => format!("ObjectId({it})"),
        Bson::DateTime(it) => it.try_to_rfc3339_string().unwrap_or_else(|_| json(scalar)),
        Bson::Binary(it) => format!("binary, {}", model::words::counted(bytes(&it.bytes), "byte")),
        other => cut(&json(other)),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => {
            let letters = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
            format!("{}… ({} in all)", &text[..end], model::words::counted(letters, "letter"))
        }
        None => text.to_owned(),
    }
}

fn bytes(of: &[u8]) -> u64 {
    u64::try_from(of.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use bson::{DateTime, doc, oid::ObjectId, spec::BinarySubtype};

    use super::*;

    #[test]
    fn what_is_written_is_read_as_the_same_document_with_the_same_types() {
        let binary = bson::Binary { subtype: BinarySubtype::Generic, bytes: vec![1, 2] };
        let whole = doc! {
            "z": 1, "long": 1_i64, "double": 1.0, "none": f64::INFINITY, "text": "a\"\n\u{7}é",
            "id": ObjectId::from_bytes([7; 12]), "date": DateTime::from_millis(1_600_000_000_123),
            "binary": binary, "nothing": null, "yes": true,
            "a": { "list": [1, { "b": [] }, {}] }, "min": Bson::MinKey,
            "time": bson::Timestamp { time: 1, increment: 2 },
        };
        let read: Document = serde_json::from_str(&document(&whole).json()).unwrap();
        let bytes = |it: &Document| it.to_vec().unwrap();
        assert_eq!(bytes(&read), bytes(&whole), "{read}");
    }

    #[test]
    fn values_of_different_types_look_different() {
        let values: [Bson; 4] = [1.into(), 1_i64.into(), 1.0.into(), "1".into()];
        let mut looks: Vec<String> = values.iter().map(shown).collect();
        looks.dedup();
        assert_eq!(looks, ["1", "1 (64 bits)", "1.0", "\"1\""]);
        let long = shown(&"x".repeat(1_000).into());
        assert!(long.ends_with("… (1,002 letters in all)"), "{long}");
    }
}
