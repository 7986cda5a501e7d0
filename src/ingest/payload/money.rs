//! Revenue: a currency and an amount, kept as whole thousandths so that sums are exact.

use crate::event::Revenue;
use crate::ingest::payload::json::{self, Loose, Scalar};
use crate::ingest::payload::{Malformed, refuse};

/// Money of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) struct Money {
    currency: [u8; 3],
    milli: i64,
}

impl Money {
    pub(in crate::ingest) fn revenue(&self) -> Revenue<'_> {
        let currency = std::str::from_utf8(&self.currency).expect("three ASCII letters");
        Revenue { currency, milli: self.milli }
    }
}

const WRONG: Malformed =
    refuse("revenue", "must be an object with a currency such as EUR and an amount");
const NO_AMOUNT: Malformed =
    refuse("revenue", "needs an amount: a number, or one in a string, within 9 quadrillion");

/// Reads `{currency, amount}`, an object or one in a string.
pub(super) fn read(value: Loose<'_>) -> Result<Option<Money>, Malformed> {
    let pairs = match value {
        Loose::Scalar(Scalar::Missing) => return Ok(None),
        Loose::Scalar(Scalar::Text(text)) => json::object_in(text).ok_or(WRONG)?,
        Loose::Object(pairs) => pairs,
        Loose::Scalar(_) => return Err(WRONG),
    };
    let (mut currency, mut amount) = (Scalar::Missing, Scalar::Missing);
    for (key, value) in pairs {
        match &*key {
            "currency" => currency = value,
            "amount" => amount = value,
            _ => {}
        }
    }
    let Scalar::Text(currency) = currency else { return Err(WRONG) };
    let currency = currency_code(&currency).ok_or(WRONG)?;
    let milli = milli(&amount).ok_or(NO_AMOUNT)?;
    Ok(Some(Money { currency, milli }))
}

fn currency_code(text: &str) -> Option<[u8; 3]> {
    let mut code: [u8; 3] = text.as_bytes().try_into().ok()?;
    code.make_ascii_uppercase();
    code.iter().all(u8::is_ascii_uppercase).then_some(code)
}

fn milli(amount: &Scalar<'_>) -> Option<i64> {
    match amount {
        Scalar::Int(number) => number.checked_mul(1000),
        // Beyond 2^53 a float does not know its own units any more.
        Scalar::Float(number) => {
            let milli = (number * 1000.0).round();
            (milli.abs() <= 9_007_199_254_740_992.0).then_some(milli as i64)
        }
        Scalar::Text(text) => milli_of_text(text.trim()),
        Scalar::Missing | Scalar::Bool(_) | Scalar::Container => None,
    }
}

/// `-12.3456` is -12346: rounded half away from zero, without a detour through floats.
fn milli_of_text(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let mut milli: i64 = 0;
    for digit in whole.bytes() {
        milli = milli.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
    }
    for place in 0..3 {
        let digit = fraction.as_bytes().get(place).map_or(0, |digit| digit - b'0');
        milli = milli.checked_mul(10)?.checked_add(i64::from(digit))?;
    }
    if fraction.as_bytes().get(3).is_some_and(|digit| *digit >= b'5') {
        milli = milli.checked_add(1)?;
    }
    Some(if negative { -milli } else { milli })
}
