//! Notations of numbers other than the plain one: separated thousands, decimal commas, percent, currency, accounts.

use serde::{Deserialize, Serialize};

/// Marks before decimals, each with a separator of thousands that goes with it.
const MARKS: [(char, char); 6] = [('.', ','), ('.', ' '), ('.', '\''), (',', '.'), (',', ' '), (',', '\'')];

/// Signs and codes of currencies.
const CURRENCIES: &[&str] = &[
    "US$", "R$", "HK$", "NT$", "$", "€", "£", "¥", "₹", "₩", "₽", "₺", "₪", "฿", "zł", "Kč", "元", "円",
    "원", "AED", "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "IDR", "ILS",
    "INR", "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "RMB", "RUB", "SAR", "SEK", "SGD", "THB",
    "TRY", "TWD", "USD", "ZAR",
];

/// A set of positions in [`MARKS`].
pub(super) type Fits = u8;

/// All of them.
pub(super) const ANY: Fits = 0b11_1111;

/// Those with this mark before decimals.
pub(super) fn with_decimal(decimal: char) -> Fits {
    (0..MARKS.len()).filter(|&k| MARKS[k].0 == decimal).map(|k| 1 << k).sum()
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notation {
    /// What stands before decimals.
    pub decimal: char,
    /// What may separate thousands.
    pub group: char,
    /// Whether numbers are percent: `45%` is 0.45.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub percent: bool,
    /// The sign or code of the currency that some cells have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
}

/// A sign or code of a currency that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(usize);

impl Currency {
    fn of(written: &str) -> Option<Self> {
        CURRENCIES.iter().position(|known| *known == written).map(Self)
    }

    /// The sign or code.
    pub fn sign(self) -> &'static str {
        CURRENCIES[self.0]
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.sign().into()
    }
}

impl TryFrom<String> for Currency {
    type Error = String;

    fn try_from(written: String) -> Result<Self, String> {
        Self::of(&written).ok_or_else(|| format!("`{written}` is no currency that is known"))
    }
}

impl Notation {
    /// The first of these, with or without percent, in this currency.
    pub(super) fn first(fits: Fits, percent: bool, currency: Option<&'static str>) -> Option<Self> {
        let (decimal, group) = *MARKS.get(fits.trailing_zeros() as usize)?;
        Some(Self { decimal, group, percent, currency: currency.and_then(Currency::of) })
    }

    /// The number that is written, with or without its sign of percent and its currency.
    pub fn number(&self, written: &str) -> Option<f64> {
        Amount::of(written)?.value(self.decimal, self.group, self.percent)
    }
}

/// What surrounds the digits of a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Amount {
    /// Digits and what separates them, in ASCII.
    digits: String,
    negative: bool,
    /// Whether it stands in parentheses, as negative numbers in accounts do.
    pub(super) parentheses: bool,
    pub(super) percent: bool,
    pub(super) currency: Option<&'static str>,
}

impl Amount {
    /// Takes a cell apart; `None` where it is no number in any notation.
    pub(super) fn of(written: &str) -> Option<Self> {
        const LONGEST: usize = 60;
        if written.len() > LONGEST || !written.chars().any(char::is_numeric) {
            return None;
        }
        let plain: String = written.chars().map(plain).collect();
        let mut rest = plain.trim();
        let (mut signs, mut percent, mut currency) = (0, 0, None);
        let mut negative = false;
        let inside = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        rest = inside.unwrap_or(rest).trim();
        loop {
            let before = rest;
            if let Some(after) = rest.strip_prefix(['-', '+']).or(rest.strip_suffix('-')) {
                negative = rest.starts_with('-') || !rest.starts_with('+');
                signs += 1;
                rest = after;
            } else if let Some(after) = rest.strip_suffix('%').or(rest.strip_prefix('%')) {
                percent += 1;
                rest = after;
            } else if currency.is_none() {
                let taken = CURRENCIES.iter().find_map(|sign| {
                    let after = rest.strip_prefix(sign).or(rest.strip_suffix(sign))?;
                    Some((*sign, after))
                });
                if let Some((sign, after)) = taken {
                    (currency, rest) = (Some(sign), after);
                }
            }
            rest = rest.trim();
            if rest == before {
                break;
            }
        }
        let parentheses = inside.is_some();
        let sound = rest.chars().all(|c| c.is_ascii_digit() || ".,' eE+-".contains(c));
        let one = percent <= 1 && signs <= usize::from(!parentheses) && !(percent == 1 && currency.is_some());
        let negative = negative || parentheses;
        let digits = rest.to_string();
        (sound && one).then_some(Self { digits, negative, parentheses, percent: percent == 1, currency })
    }

    /// The number, with this mark before decimals and this separator of thousands.
    fn value(&self, decimal: char, group: char, percent: bool) -> Option<f64> {
        let (mantissa, exponent) = match self.digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (self.digits.as_str(), 0),
        };
        let (whole, fraction) = mantissa.split_once(decimal).unwrap_or((mantissa, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let groups: Vec<&str> = whole.split(group).collect();
        let grouped = groups.len() > 1;
        if !groups.iter().all(|group| digits(group)) || (grouped && mantissa.len() != self.digits.len()) {
            return None;
        }
        if grouped {
            let [first, between @ .., last] = &groups[..] else { return None };
            let usual = first.len() <= 3 && between.iter().all(|group| group.len() == 3);
            let indian = group == ',' && first.len() <= 2 && between.iter().all(|group| group.len() == 2);
            if first.is_empty() || first.starts_with('0') || last.len() != 3 || !(usual || indian) {
                return None;
            }
        }
        let exponent = exponent.checked_sub(if percent { 2 } else { 0 })?;
        let sign = if self.negative { "-" } else { "" };
        let plain = format!("{sign}{}.{fraction}e{exponent}", groups.concat());
        plain.parse().ok().filter(|v: &f64| v.is_finite())
    }

    /// The notations in which it is a number.
    pub(super) fn fits(&self) -> Fits {
        let fits = |k: &usize| self.value(MARKS[*k].0, MARKS[*k].1, false).is_some();
        (0..MARKS.len()).filter(fits).map(|k| 1 << k).sum()
    }

    /// Two numbers that it may be in these notations.
    pub(super) fn readings(&self, among: Fits) -> Option<(f64, f64)> {
        let value = |k: usize| self.value(MARKS[k].0, MARKS[k].1, self.percent);
        let mut values = (0..MARKS.len()).filter(|k| among & (1 << k) != 0).filter_map(value);
        let first = values.next()?;
        values.find(|value| *value != first).map(|other| (first, other))
    }
}

/// A character of a number in ASCII, where it has a double there.
fn plain(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{2212}' | '\u{2013}' | '\u{2012}' => '-',
        '\u{2019}' | '\u{2bc}' | '\u{b4}' => '\'',
        '\u{ffe5}' => '¥',
        '\u{ffe1}' => '£',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(written: &str) -> Vec<f64> {
        let Some(amount) = Amount::of(written) else { return Vec::new() };
        let value = |(decimal, group): &(char, char)| amount.value(*decimal, *group, amount.percent);
        let mut values: Vec<f64> = MARKS.iter().filter_map(value).collect();
        values.dedup();
        values
    }

    #[test]
    fn each_notation_gives_its_number_and_both_where_there_are_two() {
        for (written, numbers) in [
            ("1,234.5", vec![1234.5]),
            ("1.234,5", vec![1234.5]),
            ("1 234,5", vec![1234.5]),
            ("1\u{a0}234", vec![1234.0]),
            ("1\u{202f}234\u{202f}567,8", vec![1_234_567.8]),
            ("1'234.50", vec![1234.5]),
            ("1\u{2019}234", vec![1234.0]),
            ("1,23,456", vec![123_456.0]),
            ("12,34,56,789.5", vec![123_456_789.5]),
            ("1,234,567", vec![1_234_567.0]),
            ("1,234", vec![1234.0, 1.234]),
            ("1.234", vec![1.234, 1234.0]),
            ("01,234", vec![1.234]),
            ("48,5", vec![48.5]),
            ("0,123", vec![0.123]),
            ("1234,567", vec![1234.567]),
            ("45%", vec![0.45]),
            ("12.3 %", vec![0.123]),
            ("%45", vec![0.45]),
            ("\u{ff14}\u{ff15}\u{ff05}", vec![0.45]),
            ("$1,200.00", vec![1200.0]),
            ("-$5", vec![-5.0]),
            ("$-5", vec![-5.0]),
            ("\u{20ac} 12,50", vec![12.5]),
            ("1.200,00 \u{20ac}", vec![1200.0]),
            ("\u{ffe5}1,200.5", vec![1200.5]),
            ("12 USD", vec![12.0]),
            ("CHF 1'200.50", vec![1200.5]),
            ("(1,234.50)", vec![-1234.5]),
            ("($5)", vec![-5.0]),
            ("\u{2212}3", vec![-3.0]),
            ("+3", vec![3.0]),
            ("123.5-", vec![-123.5]),
            ("1.5E+03", vec![1500.0]),
            ("1,5e3", vec![1500.0]),
            ("\u{ff11}\u{ff12}\u{ff0e}\u{ff15}", vec![12.5]),
        ] {
            assert_eq!(readings(written), numbers, "{written}");
        }
    }

    #[test]
    fn what_is_no_number_has_no_reading() {
        for written in [
            "",
            "x",
            "1_000",
            "0x1f",
            "inf",
            "nan",
            "1.2.3",
            "1,2,3",
            "12:30",
            "2024-01-31",
            "1 2",
            "12 34",
            "1,,234",
            "1.234.56",
            "--5",
            "(-5)",
            "5%%",
            "$5%",
            "1e",
            "e5",
            "12 kg",
            "1234 567",
            "10.0.0.1",
            "5 USD EUR",
        ] {
            assert_eq!(readings(written), [0.0; 0], "{written}");
        }
    }
}
