//! What the DCC says to an Update Firmware that not every device can have.

use crate::xml::{Cursor, Element, Reading, SchemaError, Space::Sr};
use crate::{DeviceIdList, Eui64};

/// The devices an image does not go to, by reason (DUIS type `DSPUpdateFirmwareWarning`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpdateFirmwareWarning {
    /// Not known to the DCC, or not the user's.
    pub invalid: Option<DeviceIdList>,
    /// Not commissioned.
    pub not_commissioned: Option<DeviceIdList>,
    /// The firmware is not for their Device Model.
    pub not_applicable: Option<DeviceIdList>,
    /// Another image is under way to them.
    pub in_progress: Option<DeviceIdList>,
    /// Their GBCS version is not one of the firmware's. A SMETS1 device has none.
    pub gbcs_version: Option<DeviceIdList>,
}

const LISTS: [&str; 5] = [
    "InvalidDeviceIDList",
    "NotCommissionedDeviceIDList",
    "NotApplicableFirmwareDeviceIDList",
    "OtherRequestInProgressList",
    "InvalidGBCSVersionList",
];

impl UpdateFirmwareWarning {
    fn lists(&self) -> [&Option<DeviceIdList>; 5] {
        [&self.invalid, &self.not_commissioned, &self.not_applicable, &self.in_progress, &self.gbcs_version]
    }

    /// Each list that is there: the name of its element, and its devices.
    pub fn reasons(&self) -> impl Iterator<Item = (&'static str, &DeviceIdList)> {
        LISTS.into_iter().zip(self.lists()).filter_map(|(name, list)| list.as_ref().map(|list| (name, list)))
    }

    /// Every device in any of the lists.
    pub fn devices(&self) -> impl Iterator<Item = Eui64> {
        self.reasons().flat_map(|(_, list)| list.devices().iter().copied())
    }

    pub(super) fn to_element(&self) -> Element {
        let lists = self.reasons().map(|(name, list)| Element::leaf(Sr, name, list));
        Element::new(Sr, "DSPUpdateFirmwareWarning").with_all(lists)
    }

    pub(super) fn read(warning: &Reading<'_>) -> Result<UpdateFirmwareWarning, SchemaError> {
        let mut parts = warning.children(&[])?;
        let list = |parts: &mut Cursor<'_>, index: usize| {
            parts.optional(Sr, LISTS[index]).map(|list| list.value()).transpose()
        };
        let read = UpdateFirmwareWarning {
            invalid: list(&mut parts, 0)?,
            not_commissioned: list(&mut parts, 1)?,
            not_applicable: list(&mut parts, 2)?,
            in_progress: list(&mut parts, 3)?,
            gbcs_version: list(&mut parts, 4)?,
        };
        parts.finish()?;
        Ok(read)
    }
}
