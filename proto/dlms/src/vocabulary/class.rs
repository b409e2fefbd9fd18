//! Interface classes, their attributes and methods (IEC 62056-6-2).

use crate::data::ClassId;

/// An interface class: number, name, attributes from 2 (1 is always the logical name), methods from 1.
struct Class {
    id: u16,
    name: &'static str,
    attributes: &'static [&'static str],
    methods: &'static [&'static str],
}

const fn class(
    id: u16,
    name: &'static str,
    attributes: &'static [&'static str],
    methods: &'static [&'static str],
) -> Class {
    Class { id, name, attributes, methods }
}

/// In the order of their numbers.
static CLASSES: &[Class] = &[
    class(1, "Data", &["value"], &[]),
    class(3, "Register", &["value", "scaler_unit"], &["reset"]),
    class(4, "Extended register", &["value", "scaler_unit", "status", "capture_time"], &["reset"]),
    class(
        5,
        "Demand register",
        &[
            "current_average_value",
            "last_average_value",
            "scaler_unit",
            "status",
            "capture_time",
            "start_time_current",
            "period",
            "number_of_periods",
        ],
        &["reset", "next_period"],
    ),
    class(
        6,
        "Register activation",
        &["register_assignment", "mask_list", "active_mask"],
        &["add_register", "add_mask", "delete_mask"],
    ),
    class(
        7,
        "Profile generic",
        &[
            "buffer",
            "capture_objects",
            "capture_period",
            "sort_method",
            "sort_object",
            "entries_in_use",
            "profile_entries",
        ],
        &["reset", "capture"],
    ),
    class(
        8,
        "Clock",
        &[
            "time",
            "time_zone",
            "status",
            "daylight_savings_begin",
            "daylight_savings_end",
            "daylight_savings_deviation",
            "daylight_savings_enabled",
            "clock_base",
        ],
        &[
            "adjust_to_quarter",
            "adjust_to_measuring_period",
            "adjust_to_minute",
            "adjust_to_preset_time",
            "preset_adjusting_time",
            "shift_time",
        ],
    ),
    class(9, "Script table", &["scripts"], &["execute"]),
    class(10, "Schedule", &["entries"], &["enable_disable", "insert", "delete"]),
    class(11, "Special days table", &["entries"], &["insert", "delete"]),
    class(12, "Association SN", &["object_list", "access_rights_list", "security_setup_reference"], &[]),
    class(
        15,
        "Association LN",
        &[
            "object_list",
            "associated_partners_id",
            "application_context_name",
            "xDLMS_context_info",
            "authentication_mechanism_name",
            "secret",
            "association_status",
            "security_setup_reference",
            "user_list",
            "current_user",
        ],
        &[
            "reply_to_HLS_authentication",
            "change_HLS_secret",
            "add_object",
            "remove_object",
            "add_user",
            "remove_user",
        ],
    ),
    class(17, "SAP assignment", &["SAP_assignment_list"], &["connect_logical_device"]),
    class(
        18,
        "Image transfer",
        &[
            "image_block_size",
            "image_transferred_blocks_status",
            "image_first_not_transferred_block_number",
            "image_transfer_enabled",
            "image_transfer_status",
            "image_to_activate_info",
        ],
        &["image_transfer_initiate", "image_block_transfer", "image_verify", "image_activate"],
    ),
    class(
        19,
        "IEC local port setup",
        &[
            "default_mode",
            "default_baud",
            "prop_baud",
            "response_time",
            "device_addr",
            "pass_p1",
            "pass_p2",
            "pass_w5",
        ],
        &[],
    ),
    class(
        20,
        "Activity calendar",
        &[
            "calendar_name_active",
            "season_profile_active",
            "week_profile_table_active",
            "day_profile_table_active",
            "calendar_name_passive",
            "season_profile_passive",
            "week_profile_table_passive",
            "day_profile_table_passive",
            "activate_passive_calendar_time",
        ],
        &["activate_passive_calendar"],
    ),
    class(21, "Register monitor", &["thresholds", "monitored_value", "actions"], &[]),
    class(22, "Single action schedule", &["executed_script", "type", "execution_time"], &[]),
    class(
        23,
        "IEC HDLC setup",
        &[
            "comm_speed",
            "window_size_transmit",
            "window_size_receive",
            "max_info_field_length_transmit",
            "max_info_field_length_receive",
            "inter_octet_time_out",
            "inactivity_time_out",
            "device_address",
        ],
        &[],
    ),
    class(24, "IEC twisted pair setup", &["mode", "speed", "primary_address_list", "tabi_list"], &[]),
    class(26, "Utility tables", &["table_ID", "length", "buffer"], &[]),
    class(27, "Modem configuration", &["comm_speed", "initialization_string", "modem_profile"], &[]),
    class(
        28,
        "Auto answer",
        &["mode", "listening_window", "status", "number_of_calls", "number_of_rings"],
        &[],
    ),
    class(
        29,
        "Auto connect",
        &["mode", "repetitions", "repetition_delay", "calling_window", "destination_list"],
        &["connect"],
    ),
    class(
        30,
        "Data protection",
        &["protection_buffer", "protection_object_list", "protection_parameters"],
        &[],
    ),
    class(
        40,
        "Push setup",
        &[
            "push_object_list",
            "send_destination_and_method",
            "communication_window",
            "randomisation_start_interval",
            "number_of_retries",
            "repetition_delay",
        ],
        &["push"],
    ),
    class(
        41,
        "TCP-UDP setup",
        &["TCP-UDP_port", "IP_reference", "MSS", "nb_of_sim_conn", "inactivity_time_out"],
        &[],
    ),
    class(
        42,
        "IPv4 setup",
        &[
            "DL_reference",
            "IP_address",
            "multicast_IP_address",
            "IP_options",
            "subnet_mask",
            "gateway_IP_address",
        ],
        &["add_mc_IP_address", "delete_mc_IP_address"],
    ),
    class(43, "MAC address setup", &["MAC_address"], &[]),
    class(44, "PPP setup", &["PHY_reference", "LCP_options", "IPCP_options", "PPP_authentication"], &[]),
    class(45, "GPRS modem setup", &["APN", "PIN_code", "quality_of_service"], &[]),
    class(
        46,
        "SMTP setup",
        &["server_port", "user_name", "login_password", "server_address", "sender_address"],
        &[],
    ),
    class(
        47,
        "GSM diagnostic",
        &["operator", "status", "cs_attachment", "ps_status", "cell_info", "adjacent_cells"],
        &[],
    ),
    class(48, "IPv6 setup", &["DL_reference", "address_config_mode", "unicast_IPv6_addresses"], &[]),
    class(
        61,
        "Register table",
        &["table_cell_values", "table_cell_definition", "scaler_unit"],
        &["reset", "capture"],
    ),
    class(
        62,
        "Compact data",
        &["compact_buffer", "capture_objects", "template_id", "template_description"],
        &["reset", "capture"],
    ),
    class(63, "Status mapping", &["status_word", "mapping_table"], &[]),
    class(
        64,
        "Security setup",
        &["security_policy", "security_suite", "client_system_title", "server_system_title", "certificates"],
        &[
            "security_activate",
            "key_transfer",
            "key_agreement",
            "generate_key_pair",
            "generate_certificate_request",
        ],
    ),
    class(
        65,
        "Parameter monitor",
        &["changed_parameter", "capture_time", "parameter_list"],
        &["add_parameter", "delete_parameter"],
    ),
    class(
        68,
        "Arbitrator",
        &["actions", "permissions_table", "weightings_table", "most_recent_requests_table", "last_outcome"],
        &["request_action", "reset"],
    ),
    class(
        70,
        "Disconnect control",
        &["output_state", "control_state", "control_mode"],
        &["remote_disconnect", "remote_reconnect"],
    ),
    class(
        71,
        "Limiter",
        &[
            "monitored_value",
            "threshold_active",
            "threshold_normal",
            "threshold_emergency",
            "min_over_threshold_duration",
            "min_under_threshold_duration",
            "emergency_profile",
            "emergency_profile_group_id_list",
            "emergency_profile_active",
            "actions",
        ],
        &[],
    ),
    class(
        72,
        "M-Bus client",
        &["mbus_port_reference", "capture_definition", "capture_period", "primary_address"],
        &[],
    ),
    class(74, "M-Bus master port setup", &["comm_speed"], &[]),
    class(101, "ZigBee SAS startup", &["short_address", "extended_pan_id", "pan_id", "channel_mask"], &[]),
    class(102, "ZigBee SAS join", &["scan_attempts", "time_between_scans", "rejoin_interval"], &[]),
    class(103, "ZigBee SAS APS fragmentation", &["aps_interframe_delay", "aps_max_window_size"], &[]),
    class(
        104,
        "ZigBee network control",
        &["enable_disable_joining", "join_timeout", "active_devices"],
        &[
            "register_device",
            "unregister_device",
            "unregister_all_devices",
            "backup_PAN",
            "restore_PAN",
            "identify_device",
        ],
    ),
    class(
        105,
        "ZigBee tunnel setup",
        &[
            "max_incoming_transfer_size",
            "max_outgoing_transfer_size",
            "protocol_address",
            "close_tunnel_timeout",
        ],
        &[],
    ),
    class(
        111,
        "Account",
        &[
            "account_mode_and_status",
            "current_credit_in_use",
            "current_credit_status",
            "available_credit",
            "amount_to_clear",
            "clearance_threshold",
            "aggregated_debt",
            "credit_reference_list",
            "charge_reference_list",
            "credit_charge_configuration",
            "token_gateway_configuration",
            "account_activation_time",
            "account_closure_time",
            "currency",
            "low_credit_threshold",
            "next_credit_available_threshold",
            "max_provision",
            "max_provision_period",
        ],
        &["activate_account", "close_account", "reset_account"],
    ),
    class(
        112,
        "Credit",
        &[
            "current_credit_amount",
            "credit_type",
            "priority",
            "warning_threshold",
            "limit",
            "credit_configuration",
            "credit_status",
            "preset_credit_amount",
            "credit_available_threshold",
            "period",
        ],
        &["update_amount", "set_amount_to_value", "invoke_credit"],
    ),
    class(
        113,
        "Charge",
        &[
            "total_amount_paid",
            "charge_type",
            "priority",
            "unit_charge_active",
            "unit_charge_passive",
            "unit_charge_activation_time",
            "period",
            "charge_configuration",
            "last_collection_time",
            "last_collection_amount",
            "total_amount_remaining",
            "proportion",
        ],
        &[
            "update_unit_charge",
            "activate_passive_unit_charge",
            "collect",
            "update_total_amount_remaining",
            "set_total_amount_remaining",
        ],
    ),
    class(
        115,
        "Token gateway",
        &["token", "token_time", "token_description", "token_delivery_method", "token_status"],
        &["enter"],
    ),
    class(
        122,
        "Function control",
        &["activation_status", "function_list"],
        &["set_function_status", "add_function", "remove_function"],
    ),
    class(
        123,
        "Array manager",
        &["array_object_list"],
        &["retrieve_number_of_entries", "retrieve_entries", "insert_entry", "update_entry", "remove_entries"],
    ),
    class(124, "Communication port protection", &["protection_mode", "allowed_failed_attempts"], &["reset"]),
];

fn find(id: ClassId) -> Option<&'static Class> {
    CLASSES.binary_search_by_key(&id.0, |class| class.id).ok().and_then(|at| CLASSES.get(at))
}

/// The name of a class.
pub fn class_name(class: ClassId) -> Option<&'static str> {
    find(class).map(|class| class.name)
}

/// The name of an attribute of a class.
pub fn attribute_name(class: ClassId, attribute: i8) -> Option<&'static str> {
    match attribute {
        0 => Some("all attributes"),
        1 => Some("logical_name"),
        _ => {
            let index = usize::try_from(attribute).ok()?.checked_sub(2)?;
            find(class)?.attributes.get(index).copied()
        }
    }
}

/// The name of a method of a class.
pub fn method_name(class: ClassId, method: i8) -> Option<&'static str> {
    let index = usize::try_from(method).ok()?.checked_sub(1)?;
    find(class)?.methods.get(index).copied()
}

/// What a number stands for in an attribute that is an enumeration.
pub fn enumeration(class: ClassId, attribute: i8, value: u8) -> Option<&'static str> {
    let words: &[&str] = match (class.0, attribute) {
        (7, 5) => &["", "FIFO", "LIFO", "largest", "smallest", "nearest to zero", "farthest from zero"],
        (8, 9) => {
            &["not defined", "internal crystal", "mains 50 Hz", "mains 60 Hz", "GPS", "radio controlled"]
        }
        (15, 8) => &["non-associated", "association pending", "associated"],
        (18, 6) => &[
            "transfer not initiated",
            "transfer initiated",
            "verification initiated",
            "verification successful",
            "verification failed",
            "activation initiated",
            "activation successful",
            "activation failed",
        ],
        (64, 3) => &["AES-GCM-128", "ECDH-ECDSA-AES-GCM-128-SHA-256", "ECDH-ECDSA-AES-GCM-256-SHA-384"],
        (70, 3) => &["disconnected", "connected", "ready for reconnection"],
        _ => return None,
    };
    words.get(usize::from(value)).copied().filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_so_that_it_can_be_searched() {
        assert!(CLASSES.windows(2).all(|pair| pair[0].id < pair[1].id));
    }

    #[test]
    fn attributes_count_from_the_logical_name() {
        assert_eq!(attribute_name(ClassId(3), 1), Some("logical_name"));
        assert_eq!(attribute_name(ClassId(3), 2), Some("value"));
        assert_eq!(attribute_name(ClassId(3), 4), None);
        assert_eq!(attribute_name(ClassId(3), -1), None);
        assert_eq!(attribute_name(ClassId(70), 3), Some("control_state"));
        assert_eq!(method_name(ClassId(70), 2), Some("remote_reconnect"));
        assert_eq!(method_name(ClassId(70), 0), None);
        assert_eq!(enumeration(ClassId(70), 3, 2), Some("ready for reconnection"));
    }
}
