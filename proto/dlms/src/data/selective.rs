//! Selective access: asking a profile for some of its buffer (IEC 62056-6-2, 4.3.6, profile generic).

use thiserror::Error;

use super::{ClassId, Data, DataAccessResult, Obis};
use crate::octets::{DecodeError, Reader};

/// An access selection as it goes on the wire: a selector and its parameters, meaning not yet judged.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessSelection {
    /// Which way of selecting: 1 by range, 2 by entry; others belong to other classes.
    pub selector: u8,
    /// The parameters of that way.
    pub parameters: Data,
}

/// One column of a profile: an attribute, or one element of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaptureObject {
    /// The interface class.
    pub class: ClassId,
    /// The logical name.
    pub obis: Obis,
    /// The attribute.
    pub attribute: i8,
    /// 0 for the whole attribute, else the element of a structure, counted from 1.
    pub data_index: u16,
}

/// Which part of a profile buffer is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Selective {
    /// Selector 1: entries whose value in one column lies from `from` to `to`, both included.
    Range {
        /// The column compared, most often the clock.
        restricting: CaptureObject,
        /// Lowest value.
        from: Data,
        /// Highest value.
        to: Data,
        /// Columns wanted; empty means all.
        columns: Vec<CaptureObject>,
    },
    /// Selector 2: entries and columns by number, counted from 1, both ends included; 0 as an end means the last.
    Entry {
        /// First entry.
        from: u32,
        /// Last entry, 0 for the last there is.
        to: u32,
        /// First column.
        first_column: u16,
        /// Last column, 0 for the last there is.
        last_column: u16,
    },
}

/// An access selection that has no meaning for a profile.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SelectiveError {
    /// The selector is neither 1 nor 2.
    #[error("selector {found} is unknown; a profile takes 1 (by range) or 2 (by entry)")]
    UnknownSelector {
        /// The selector found.
        found: u8,
    },
    /// The parameters are not those of the selector.
    #[error("the parameters of selector {selector} have the wrong {part}")]
    WrongParameters {
        /// The selector.
        selector: u8,
        /// What did not fit.
        part: &'static str,
    },
}

impl SelectiveError {
    /// What a meter answers to such a request.
    pub fn data_access_result(&self) -> DataAccessResult {
        match self {
            SelectiveError::UnknownSelector { .. } => DataAccessResult::ScopeOfAccessViolated,
            SelectiveError::WrongParameters { .. } => DataAccessResult::TypeUnmatched,
        }
    }
}

impl CaptureObject {
    /// The object as the structure of four that profiles use.
    pub fn to_data(self) -> Data {
        Data::Structure(vec![
            Data::U16(self.class.0),
            Data::Octets(self.obis.0.to_vec()),
            Data::I8(self.attribute),
            Data::U16(self.data_index),
        ])
    }

    /// Reads the structure of four that profiles use; `None` when it is something else.
    pub fn from_data(data: &Data) -> Option<Self> {
        let Data::Structure(elements) = data else { return None };
        let [class, obis, attribute, data_index] = elements.as_slice() else { return None };
        Some(Self {
            class: ClassId(class.as_i128()?.try_into().ok()?),
            obis: Obis(obis.as_octets()?.try_into().ok()?),
            attribute: attribute.as_i128()?.try_into().ok()?,
            data_index: data_index.as_i128()?.try_into().ok()?,
        })
    }
}

impl Selective {
    /// The selection as it goes on the wire.
    pub fn to_access_selection(&self) -> AccessSelection {
        match self {
            Selective::Range { restricting, from, to, columns } => {
                let columns = Data::Array(columns.iter().map(|column| column.to_data()).collect());
                let parameters = vec![restricting.to_data(), from.clone(), to.clone(), columns];
                AccessSelection { selector: 1, parameters: Data::Structure(parameters) }
            }
            Selective::Entry { from, to, first_column, last_column } => {
                let columns = [Data::U16(*first_column), Data::U16(*last_column)];
                let parameters = [Data::U32(*from), Data::U32(*to)].into_iter().chain(columns).collect();
                AccessSelection { selector: 2, parameters: Data::Structure(parameters) }
            }
        }
    }
}

impl TryFrom<&AccessSelection> for Selective {
    type Error = SelectiveError;

    fn try_from(selection: &AccessSelection) -> Result<Self, SelectiveError> {
        match selection.selector {
            1 => range(&selection.parameters)
                .ok_or(SelectiveError::WrongParameters { selector: 1, part: "range descriptor" }),
            2 => entry(&selection.parameters)
                .ok_or(SelectiveError::WrongParameters { selector: 2, part: "entry descriptor" }),
            found => Err(SelectiveError::UnknownSelector { found }),
        }
    }
}

fn range(parameters: &Data) -> Option<Selective> {
    let [restricting, from, to, columns] = parameters.elements()? else { return None };
    let columns: Option<Vec<_>> = columns.elements()?.iter().map(CaptureObject::from_data).collect();
    let restricting = CaptureObject::from_data(restricting)?;
    Some(Selective::Range { restricting, from: from.clone(), to: to.clone(), columns: columns? })
}

fn entry(parameters: &Data) -> Option<Selective> {
    let [from, to, first_column, last_column] = parameters.elements()? else { return None };
    Some(Selective::Entry {
        from: from.as_i128()?.try_into().ok()?,
        to: to.as_i128()?.try_into().ok()?,
        first_column: first_column.as_i128()?.try_into().ok()?,
        last_column: last_column.as_i128()?.try_into().ok()?,
    })
}

impl AccessSelection {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let selector = reader.u8("access selector")?;
        Ok(Self { selector, parameters: Data::read(reader)? })
    }

    /// An optional selection: a flag, then the selection where there is one.
    pub(crate) fn read_optional(reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        if reader.flag("access selection flag")? { Ok(Some(Self::read(reader)?)) } else { Ok(None) }
    }

    pub(crate) fn put_optional(selection: Option<&Self>, out: &mut Vec<u8>) {
        out.push(u8::from(selection.is_some()));
        if let Some(selection) = selection {
            out.push(selection.selector);
            selection.parameters.encode_to(out);
        }
    }
}
