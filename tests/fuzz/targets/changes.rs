//! An input as a list of changes to a good file.

use serde_json::Value;

/// Takes `count` bytes off the front of `input`, zeros where it ends early.
fn take<const N: usize>(input: &mut &[u8]) -> [u8; N] {
    let mut taken = [0; N];
    let count = input.len().min(N);
    taken[..count].copy_from_slice(&input[..count]);
    *input = &input[count..];
    taken
}

/// Changes bytes: each change is an operation, a place (2 bytes, and the upper bits of the operation), a length, and for some of them
/// so many bytes.
pub(super) fn bytes(base: &[u8], mut input: &[u8]) -> Vec<u8> {
    let mut changed = base.to_vec();
    while !input.is_empty() {
        let [operation, low, high, length] = take(&mut input);
        let place = usize::from(operation >> 3) << 16 | usize::from(high) << 8 | usize::from(low);
        let from = place % (changed.len() + 1);
        let (length, rest) = (usize::from(length), changed.len() - from);
        let given = input.len().min(length);
        match operation & 7 {
            0..=3 => {
                let count = given.min(rest);
                changed[from..from + count].copy_from_slice(&input[..count]);
                input = &input[given..];
            }
            4 => {
                changed.splice(from..from, input[..given].iter().copied());
                input = &input[given..];
            }
            5 => drop(changed.drain(from..from + length.min(rest))),
            6 => changed.truncate(from),
            _ => changed.extend_from_within(from..from + length.min(rest)),
        }
    }
    changed
}

/// Changes a JSON document: each change names a value by its position, and what it becomes.
pub(super) fn json(base: &Value, mut input: &[u8]) -> Value {
    let mut changed = base.clone();
    while !input.is_empty() {
        let [low, high, kind] = take(&mut input);
        let count = values(&changed);
        let mut position = (usize::from(high) << 8 | usize::from(low)) % count;
        let mut replacement = || -> Option<Value> {
            Some(match kind % 16 {
                0 => Value::Null,
                1 => Value::from(0),
                2 => Value::from(-1),
                3 => Value::from(u64::MAX),
                4 => Value::from(i64::MIN),
                5 => Value::from(f64::MAX),
                6 => Value::from(1e-320),
                7 => Value::from(String::new()),
                8 => Value::from("x"),
                9 => Value::Array(Vec::new()),
                10 => Value::from(i32::from_le_bytes(take(&mut input))),
                11 => Value::from(u64::from_le_bytes(take(&mut input))),
                12 => serde_json::Number::from_f64(f64::from_le_bytes(take(&mut input)))
                    .map_or(Value::Null, Value::Number),
                13 => Value::from(i64::from(u32::MAX)),
                // The value, or its last entry, goes or comes twice.
                _ => return None,
            })
        };
        let replacement = replacement();
        if let Some(value) = value_at(&mut changed, &mut position) {
            match (replacement, value) {
                (Some(replacement), value) => *value = replacement,
                (None, Value::Array(entries)) if kind % 2 == 0 => drop(entries.pop()),
                (None, Value::Array(entries)) => entries.extend(entries.last().cloned()),
                (None, Value::Object(entries)) => {
                    let name = entries.keys().nth(usize::from(kind / 16) % entries.len().max(1)).cloned();
                    drop(name.and_then(|name| entries.remove(&name)));
                }
                (None, Value::Number(number)) => {
                    let wrapped =
                        number.as_u64().map(|number| number.wrapping_add(1).wrapping_sub(2 * u64::from(kind % 2)));
                    *number = wrapped.map_or_else(|| serde_json::Number::from(kind), serde_json::Number::from);
                }
                (None, Value::String(text)) => text.push(char::from(kind)),
                (None, other) => *other = Value::Bool(kind % 2 == 0),
            }
        }
    }
    changed
}

/// Returns how many values a document has, itself included.
fn values(value: &Value) -> usize {
    1 + match value {
        Value::Array(entries) => entries.iter().map(values).sum::<usize>(),
        Value::Object(entries) => entries.values().map(values).sum(),
        _ => 0,
    }
}

fn value_at<'a>(value: &'a mut Value, position: &mut usize) -> Option<&'a mut Value> {
    if *position == 0 {
        return Some(value);
    }
    *position -= 1;
    match value {
        Value::Array(entries) => entries.iter_mut().find_map(|entry| value_at(entry, position)),
        Value::Object(entries) => entries.values_mut().find_map(|entry| value_at(entry, position)),
        _ => None,
    }
}
