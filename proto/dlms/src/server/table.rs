//! A plain object model: attributes with values and rights, no methods, no memory of its own.

use std::collections::BTreeMap;

use super::{AssociationPolicy, Credentials, Denial, ObjectModel, Peer};
use crate::data::{ActionResult, AttributeRef, ClassId, Data, DataAccessResult, MethodRef, Obis, Selective};

/// What clients may do with an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Read only.
    ReadOnly,
    /// Write only.
    WriteOnly,
    /// Read and write.
    ReadWrite,
}

/// Objects as a table of attributes. Any client may associate without security.
///
/// Refusals come in the order a meter gives them: no such object, another class, no right, wrong type.
#[derive(Debug, Clone, Default)]
pub struct ObjectTable {
    objects: BTreeMap<Obis, (ClassId, Attributes)>,
}

type Attributes = BTreeMap<i8, (Data, Rights)>;

impl ObjectTable {
    /// A table without objects.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an attribute into the table; its object with it, where that is new. Attribute 1 is there by itself.
    pub fn insert(&mut self, attribute: AttributeRef, value: Data, rights: Rights) {
        let object = self.objects.entry(attribute.obis).or_insert_with(|| {
            let name = Data::Octets(attribute.obis.0.to_vec());
            (attribute.class, BTreeMap::from([(1, (name, Rights::ReadOnly))]))
        });
        object.1.insert(attribute.attribute, (value, rights));
    }

    /// The value of an attribute, whatever the rights; for the side that is not the wire.
    pub fn value(&self, attribute: AttributeRef) -> Option<&Data> {
        let (_, attributes) = self.objects.get(&attribute.obis)?;
        attributes.get(&attribute.attribute).map(|(value, _)| value)
    }

    fn attributes(&mut self, obis: Obis, class: ClassId) -> Result<&mut Attributes, DataAccessResult> {
        match self.objects.get_mut(&obis) {
            None => Err(DataAccessResult::ObjectUndefined),
            Some((of, _)) if *of != class => Err(DataAccessResult::ObjectClassInconsistent),
            Some((_, attributes)) => Ok(attributes),
        }
    }

    fn attribute(&mut self, of: AttributeRef) -> Result<&mut (Data, Rights), DataAccessResult> {
        let attributes = self.attributes(of.obis, of.class)?;
        attributes.get_mut(&of.attribute).ok_or(DataAccessResult::ReadWriteDenied)
    }
}

impl AssociationPolicy for ObjectTable {
    fn admit(&mut self, _peer: Peer, _credentials: Credentials<'_>) -> Result<(), Denial> {
        Ok(())
    }
}

impl ObjectModel for ObjectTable {
    fn get(
        &mut self,
        _peer: Peer,
        attribute: AttributeRef,
        selective: Option<&Selective>,
    ) -> Result<Data, DataAccessResult> {
        match (self.attribute(attribute)?, selective) {
            ((_, Rights::WriteOnly), _) => Err(DataAccessResult::ReadWriteDenied),
            (_, Some(_)) => Err(DataAccessResult::ScopeOfAccessViolated),
            ((value, _), None) => Ok(value.clone()),
        }
    }

    fn set(
        &mut self,
        _peer: Peer,
        attribute: AttributeRef,
        selective: Option<&Selective>,
        new: Data,
    ) -> Result<(), DataAccessResult> {
        match (self.attribute(attribute)?, selective) {
            ((_, Rights::ReadOnly), _) => Err(DataAccessResult::ReadWriteDenied),
            (_, Some(_)) => Err(DataAccessResult::ScopeOfAccessViolated),
            ((value, _), None) if !value.same_type(&new) => Err(DataAccessResult::TypeUnmatched),
            ((value, _), None) => {
                *value = new;
                Ok(())
            }
        }
    }

    fn act(
        &mut self,
        _peer: Peer,
        method: MethodRef,
        _parameter: Option<Data>,
    ) -> Result<Option<Data>, ActionResult> {
        match self.attributes(method.obis, method.class) {
            Err(DataAccessResult::ObjectClassInconsistent) => Err(ActionResult::ObjectClassInconsistent),
            Err(_) => Err(ActionResult::ObjectUndefined),
            Ok(_) => Err(ActionResult::ReadWriteDenied),
        }
    }
}
