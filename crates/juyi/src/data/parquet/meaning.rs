//! What the stored values of a Parquet column stand for.

use half::f16;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit as Resolution, Type};
use parquet::data_type::Int96;
use parquet::schema::types::ColumnDescriptor;

use crate::data::dates::TimeUnit;

/// One cell.
pub(super) enum Cell<'a> {
    Whole(i128),
    Single(f32),
    Double(f64),
    Text(&'a str),
}

/// What stored values stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// The numbers that they are.
    Plain,
    Unsigned,
    /// Points in time, times of day or durations, this many units a second.
    Time(i64),
    /// Decimals with this many digits behind the point.
    Decimal(u32),
    /// Floating point in 16 bits.
    Half,
    Text,
}

const MILLISECONDS: i64 = 1_000;
const MICROSECONDS: i64 = 1_000_000;
const NANOSECONDS: i64 = 1_000_000_000;

impl Meaning {
    /// What a column's values stand for; the error says what they are where that cannot be read.
    pub(super) fn of(column: &ColumnDescriptor) -> Result<Self, String> {
        if column.max_rep_level() > 0 {
            return Err("lists".into());
        }
        let decimal = |scale: i32| {
            u32::try_from(scale).map(Self::Decimal).map_err(|_| format!("decimals of scale {scale}"))
        };
        let unit = |unit: &Resolution| match unit {
            Resolution::MILLIS => Self::Time(MILLISECONDS),
            Resolution::MICROS => Self::Time(MICROSECONDS),
            Resolution::NANOS => Self::Time(NANOSECONDS),
        };
        let said = match column.logical_type_ref() {
            Some(LogicalType::String | LogicalType::Enum | LogicalType::Json) => Self::Text,
            Some(LogicalType::Decimal(kind)) => decimal(kind.scale)?,
            Some(LogicalType::Time(kind) | LogicalType::Timestamp(kind)) => unit(&kind.unit),
            Some(LogicalType::Integer(kind)) if !kind.is_signed => Self::Unsigned,
            Some(LogicalType::Integer(_) | LogicalType::Date | LogicalType::Unknown) => Self::Plain,
            Some(LogicalType::Float16) => Self::Half,
            Some(other) => return Err(format!("values of type {other:?}")),
            None => match column.converted_type() {
                ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => Self::Text,
                ConvertedType::DECIMAL => decimal(column.type_scale())?,
                ConvertedType::TIME_MILLIS | ConvertedType::TIMESTAMP_MILLIS => Self::Time(MILLISECONDS),
                ConvertedType::TIME_MICROS | ConvertedType::TIMESTAMP_MICROS => Self::Time(MICROSECONDS),
                ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64 => Self::Unsigned,
                ConvertedType::NONE
                | ConvertedType::DATE
                | ConvertedType::INT_8
                | ConvertedType::INT_16
                | ConvertedType::INT_32
                | ConvertedType::INT_64 => Self::Plain,
                other => return Err(format!("values of type {other:?}")),
            },
        };
        match (column.physical_type(), said) {
            // Some writers do not say that their bytes are text.
            (Type::BYTE_ARRAY, Self::Plain) => Ok(Self::Text),
            (Type::BYTE_ARRAY, Self::Text | Self::Decimal(_)) => Ok(said),
            (Type::FIXED_LEN_BYTE_ARRAY, Self::Half) if column.type_length() == 2 => Ok(said),
            (Type::FIXED_LEN_BYTE_ARRAY, Self::Decimal(_)) if column.type_length() > 0 => Ok(said),
            (Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY, _) => Err("raw bytes".into()),
            (_, Self::Text | Self::Half) => Ok(Self::Plain),
            _ => Ok(said),
        }
    }

    /// What the numbers of a column of dates or times count.
    pub(super) fn unit(column: &ColumnDescriptor) -> Option<TimeUnit> {
        match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => Some(TimeUnit::Days),
            (Some(LogicalType::Time(_)), _)
            | (None, ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS) => Some(TimeUnit::SecondsOfDay),
            (Some(LogicalType::Timestamp(_)), _)
            | (None, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS) => {
                Some(TimeUnit::Seconds)
            }
            _ if column.physical_type() == Type::INT96 => Some(TimeUnit::Seconds),
            _ => None,
        }
    }

    /// A stored integer: its bits read with and without a sign.
    pub(super) fn whole(self, signed: i64, unsigned: u64) -> Cell<'static> {
        match self {
            Self::Unsigned => Cell::Whole(i128::from(unsigned)),
            Self::Time(unit) => Cell::Double((signed / unit) as f64 + (signed % unit) as f64 / unit as f64),
            Self::Decimal(scale) => Cell::Double(decimal(i128::from(signed), scale)),
            Self::Plain | Self::Half | Self::Text => Cell::Whole(i128::from(signed)),
        }
    }

    /// Stored bytes; the error says what is wrong with them.
    pub(super) fn bytes(self, bytes: &[u8]) -> Result<Cell<'_>, String> {
        match (self, bytes) {
            (Self::Half, &[low, high]) => Ok(Cell::Single(f16::from_le_bytes([low, high]).to_f32())),
            (Self::Decimal(scale), [first, ..]) if bytes.len() <= 16 => {
                let sign = if *first < 128 { 0 } else { -1 };
                let unscaled = bytes.iter().fold(sign, |sum, byte| sum << 8 | i128::from(*byte));
                Ok(Cell::Double(decimal(unscaled, scale)))
            }
            (Self::Decimal(_), _) => Err(format!("is a decimal of {} bytes, 1 to 16 are read", bytes.len())),
            _ => std::str::from_utf8(bytes).map(Cell::Text).map_err(|_| "is not UTF-8 text".into()),
        }
    }
}

/// A point in time as Spark and Impala once stored it.
pub(super) fn old_timestamp(stored: &Int96) -> Cell<'static> {
    const EPOCH: i64 = 2_440_588; // the Julian day of 1970-01-01
    let [low, high, day] = stored.data() else { unreachable!("96 bits are three words") };
    let nanoseconds = i64::from(*high).wrapping_shl(32) | i64::from(*low);
    let days = i64::from(day.cast_signed()) - EPOCH;
    Cell::Double((days * 86_400) as f64 + nanoseconds as f64 / NANOSECONDS as f64)
}

/// The double nearest to `unscaled / 10^scale`.
fn decimal(unscaled: i128, scale: u32) -> f64 {
    format!("{unscaled}e-{scale}").parse().expect("a number in scientific notation")
}
