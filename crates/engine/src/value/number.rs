//! Numbers that a double cannot hold: they keep their text.

use std::cmp::Ordering;

use mlua::{FromLuaMulti, IntoLua, Lua, MetaMethod, MultiValue, UserData, UserDataFields, UserDataMethods, Value};
use serde::Serialize;

use crate::fault::kind_of;

/// Up to here every integer is a double.
const SAFE: u128 = 1 << 53;

/// A number of JSON as Lua gets it.
pub(crate) enum Number {
    /// Held exactly (or as closely as the shortest text that a double prints) by a plain number.
    Plain(f64),
    /// Anything else.
    Exact(Exact),
}

/// An integer beyond 2^53, or a decimal with more digits than a double has, in its text.
///
/// Scripts calculate with the integers among them exactly, as long as the result fits 128 bits; with decimals as with doubles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exact(String);

impl Exact {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads a number of JSON; `text` is one. `None` when it is larger than every double.
pub(crate) fn read(text: &str) -> Option<Number> {
    if text == "-0" {
        return Some(Number::Plain(-0.0));
    }
    let whole = !text.bytes().any(|b| matches!(b, b'.' | b'e' | b'E'));
    if whole && let Ok(small) = text.parse::<i32>() {
        return Some(Number::Plain(f64::from(small)));
    }
    let double = text.parse::<f64>().ok().filter(|double| double.is_finite())?;
    Some(if whole {
        text.parse::<i128>().map_or_else(|_| Number::Exact(Exact(text.to_owned())), from_integer)
    } else if is_short(text, double) || is_held(text, double) {
        Number::Plain(double)
    } else {
        Number::Exact(Exact(text.to_owned()))
    })
}

/// Whether a decimal has so few digits that a double always holds it.
fn is_short(text: &str, double: f64) -> bool {
    let mantissa = text.bytes().take_while(|byte| !matches!(byte, b'e' | b'E'));
    let digits = mantissa.filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0').count();
    digits <= 15 && (digits == 0 || (1e-300..1e300).contains(&double.abs()))
}

/// Whether the shortest text of a double is the same decimal.
fn is_held(text: &str, double: f64) -> bool {
    Decimal::of(text) == Decimal::of(&format!("{double:e}"))
}

#[expect(clippy::cast_precision_loss, reason = "only up to 2^53, where there is none")]
fn from_integer(integer: i128) -> Number {
    if integer.unsigned_abs() <= SAFE {
        Number::Plain(integer as f64)
    } else {
        Number::Exact(Exact(integer.to_string()))
    }
}

/// Writes a number that JSON has: an integer or a finite double.
pub(crate) fn write(number: &impl Serialize, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail; this is twice as fast as formatting it.
    let _ = serde_json::to_writer(out, number);
}

/// A decimal text by what it means: sign, digits without zeros around them, and the power of ten of the last one.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn of(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_end_matches('0');
        let scale =
            i64::try_from(digits.len() - significant.len()).unwrap_or(0) - i64::try_from(fraction.len()).unwrap_or(0);
        let significant = significant.trim_start_matches('0');
        if significant.is_empty() {
            return Self { negative, digits: String::new(), exponent: 0 };
        }
        // An exponent that fits no integer is not that of a double; any value out of their range will do.
        let exponent = exponent.trim_start_matches('+').parse::<i64>().unwrap_or(1 << 40);
        Self { negative, digits: significant.to_owned(), exponent: exponent.saturating_add(scale) }
    }
}

/// One side of an operation.
#[derive(Clone, Copy)]
enum Operand {
    Integer(i128),
    Double(f64),
}

impl Operand {
    #[expect(clippy::cast_precision_loss, reason = "what is asked for is the nearest double")]
    fn double(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Double(double) => double,
        }
    }

    fn of(exact: &Exact) -> Self {
        exact.0.parse().map_or_else(|_| Self::Double(exact.0.parse().unwrap_or(f64::NAN)), Self::Integer)
    }
}

impl Operand {
    /// Where it is a number.
    fn among(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(integer) => Some(Self::Integer(i128::from(*integer))),
            Value::Number(double) => Some(Self::Double(*double)),
            Value::UserData(data) => Some(Self::of(&*data.borrow::<Exact>().ok()?)),
            _ => None,
        }
    }
}

/// Both sides of a comparison.
struct Compared(Operand, Operand);

impl FromLuaMulti for Compared {
    fn from_lua_multi(values: MultiValue, lua: &Lua) -> mlua::Result<Self> {
        let (a, b) = <(Value, Value)>::from_lua_multi(values, lua)?;
        let both = Operand::among(&a).zip(Operand::among(&b));
        both.map(|(a, b)| Self(a, b)).ok_or_else(|| refused("compare", &a, &b))
    }
}

/// Both sides of a calculation; Lua takes texts for the numbers that they say.
struct Terms(Operand, Operand);

impl FromLuaMulti for Terms {
    fn from_lua_multi(values: MultiValue, lua: &Lua) -> mlua::Result<Self> {
        let (a, b) = <(Value, Value)>::from_lua_multi(values, lua)?;
        let term = |value: &Value| match value {
            Value::String(text) => match text.to_str().ok()?.trim().parse() {
                Ok(integer) => Some(Operand::Integer(integer)),
                Err(_) => lua.coerce_number(value.clone()).ok()?.map(Operand::Double),
            },
            other => Operand::among(other),
        };
        let both = term(&a).zip(term(&b));
        both.map(|(a, b)| Self(a, b)).ok_or_else(|| refused("calculate with", &a, &b))
    }
}

fn refused(what: &str, a: &Value, b: &Value) -> mlua::Error {
    mlua::Error::runtime(format!("attempt to {what} {} and {}", kind_of(a), kind_of(b)))
}

struct Calculated(Result<i128, f64>);

impl IntoLua for Calculated {
    fn into_lua(self, lua: &Lua) -> mlua::Result<Value> {
        match self.0.map(from_integer) {
            Ok(Number::Plain(double)) | Err(double) => Ok(Value::Number(double)),
            Ok(Number::Exact(exact)) => exact.into_lua(lua),
        }
    }
}

fn calculate(
    a: Operand,
    b: Operand,
    exactly: fn(i128, i128) -> Option<i128>,
    roughly: fn(f64, f64) -> f64,
) -> Calculated {
    let exact = match (a, b) {
        (Operand::Integer(a), Operand::Integer(b)) => exactly(a, b),
        _ => None,
    };
    Calculated(exact.ok_or_else(|| roughly(a.double(), b.double())))
}

fn floor_div(a: i128, b: i128) -> Option<i128> {
    let quotient = a.checked_div(b)?;
    Some(if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient })
}

fn floor_rem(a: i128, b: i128) -> Option<i128> {
    let rest = a.checked_rem(b)?;
    Some(if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
}

fn compare(a: Operand, b: Operand) -> Option<Ordering> {
    match (a, b) {
        (Operand::Integer(a), Operand::Integer(b)) => Some(a.cmp(&b)),
        _ => a.double().partial_cmp(&b.double()),
    }
}

impl UserData for Exact {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        // What `typeof` and Luau's errors call it.
        fields.add_meta_field(MetaMethod::Type, "bignum");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods
            .add_meta_function(MetaMethod::Add, |_, Terms(a, b)| Ok(calculate(a, b, i128::checked_add, |a, b| a + b)));
        methods
            .add_meta_function(MetaMethod::Sub, |_, Terms(a, b)| Ok(calculate(a, b, i128::checked_sub, |a, b| a - b)));
        methods
            .add_meta_function(MetaMethod::Mul, |_, Terms(a, b)| Ok(calculate(a, b, i128::checked_mul, |a, b| a * b)));
        methods.add_meta_function(MetaMethod::Mod, |_, Terms(a, b)| {
            Ok(calculate(a, b, floor_rem, |a, b| a - (a / b).floor() * b))
        });
        methods.add_meta_function(MetaMethod::IDiv, |_, Terms(a, b)| {
            Ok(calculate(a, b, floor_div, |a, b| (a / b).floor()))
        });
        methods.add_meta_function(MetaMethod::Div, |_, Terms(a, b)| Ok(a.double() / b.double()));
        methods.add_meta_function(MetaMethod::Pow, |_, Terms(a, b)| Ok(a.double().powf(b.double())));
        methods.add_meta_function(MetaMethod::Unm, |_, (a, b): (Value, Value)| {
            let a = Operand::among(&a).ok_or_else(|| refused("negate", &a, &b))?;
            Ok(calculate(Operand::Integer(0), a, i128::checked_sub, |_, a| -a))
        });
        methods.add_meta_function(MetaMethod::Eq, |_, Compared(a, b)| Ok(compare(a, b) == Some(Ordering::Equal)));
        methods.add_meta_function(MetaMethod::Lt, |_, Compared(a, b)| Ok(compare(a, b) == Some(Ordering::Less)));
        methods.add_meta_function(MetaMethod::Le, |_, Compared(a, b)| {
            Ok(matches!(compare(a, b), Some(Ordering::Less | Ordering::Equal)))
        });
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.0.clone()));
        methods.add_meta_function(MetaMethod::Concat, |lua, (a, b): (Value, Value)| {
            let mut text = piece(&a)?;
            text.extend(piece(&b)?);
            lua.create_string(text)
        });
    }
}

fn piece(value: &Value) -> mlua::Result<Vec<u8>> {
    match value {
        Value::String(text) => Ok(text.as_bytes().to_vec()),
        Value::Integer(_) | Value::Number(_) => Ok(value.to_string()?.into_bytes()),
        Value::UserData(data) if data.is::<Exact>() => Ok(data.borrow::<Exact>()?.0.clone().into_bytes()),
        other => Err(mlua::Error::runtime(format!("attempt to concatenate number with {}", kind_of(other)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Option<String> {
        match read(text).unwrap() {
            Number::Plain(_) => None,
            Number::Exact(exact) => Some(exact.0),
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_short_is_held(text in "-?(0|[1-9][0-9]{0,9})\\.[0-9]{1,9}([eE][+-]?[0-9]{1,3})?") {
            let double = text.parse::<f64>().unwrap();
            if double.is_finite() && is_short(&text, double) {
                proptest::prop_assert!(is_held(&text, double), "{}", text);
            }
        }
    }

    #[test]
    fn what_is_larger_than_every_double_is_no_number() {
        for large in ["1e309", "-1e999999", &"9".repeat(400)] {
            assert!(read(large).is_none(), "{large}");
        }
        assert_eq!(exact(&"9".repeat(300)).as_deref(), Some(&*"9".repeat(300)));
    }

    #[test]
    fn only_what_a_double_cannot_hold_keeps_its_text() {
        for plain in
            ["0", "-0", "1", "9007199254740992", "0.1", "1.50", "1e2", "1E+2", "5e-324", "1.7976931348623157e308"]
        {
            assert_eq!(exact(plain), None, "{plain}");
        }
        for kept in
            ["9007199254740993", "-9223372036854775808", "18446744073709551615", "0.1000000000000000055", "1e-400"]
        {
            assert_eq!(exact(kept).as_deref(), Some(kept));
        }
    }

    #[test]
    fn division_rounds_towards_minus_infinity() {
        assert_eq!(floor_div(-7, 2), Some(-4));
        assert_eq!(floor_rem(-7, 2), Some(1));
        assert_eq!(floor_div(1, 0), None);
    }
}
