//! What each command does.

use std::time::{Duration, Instant};

use proto_zigbee::ezsp::commands::*;
use proto_zigbee::ezsp::{
    ApsHeader, ChildData, CurrentSecurityState, KeyStruct, MulticastEntry, Neighbour, NetworkParameters,
    NetworkState, NodeType, ProtocolStatus, StackStatus, security_bits,
};
use proto_zigbee::zdo::Endpoint;
use proto_zigbee::{Eui64, ToEnd};

use super::ncp::{Ncp, STACK_VERSION};
use super::radio::Radio;
use super::stack::{COORDINATOR, COUNTERS, Joined, NO_ADDRESS, Network, TABLE};

/// The longest message of a unicast without parts, in octets.
const LONGEST_MESSAGE: usize = 82;
/// Octets of a token of the host's own.
const TOKENS: u8 = 8;
/// Value: version of the firmware.
const VERSION_INFO: u8 = 0x11;
/// Value: buffers left.
const FREE_BUFFERS: u8 = 0x03;
/// Manufacturing tokens: who made it, its board, an address of its own that nobody has written.
const MANUFACTURER: u8 = 0x01;
const BOARD: u8 = 0x02;
const CUSTOM_EUI64: u8 = 0x0c;
/// Octets of a text token.
const TEXT_TOKEN: usize = 16;
const TRUST_CENTRE_LINK_KEY: u8 = 1;
const NETWORK_KEY: u8 = 3;
/// What is heard on an empty channel, in dBm.
const QUIET: i8 = -95;

/// The octets of a response, or why there is none.
type Answer = Result<Vec<u8>, ProtocolStatus>;

/// Reads a command and writes the response that `deed` makes.
fn on<C: Command>(parameters: &[u8], deed: impl FnOnce(C) -> C::Response) -> Answer {
    let command = C::parse(parameters).map_err(|_| ProtocolStatus::CommandTooShort)?;
    Ok(C::response_to_bytes(&deed(command)))
}

impl Ncp {
    /// Carries a command out.
    pub(super) fn answer(&mut self, id: u16, with: &[u8], now: Instant, radio: &mut dyn Radio) -> Answer {
        match id {
            AddEndpoint::ID
            | GetConfigurationValue::ID
            | SetConfigurationValue::ID
            | SetPolicy::ID
            | GetPolicy::ID
            | GetValue::ID
            | SetValue::ID
            | GetToken::ID
            | SetToken::ID
            | GetManufacturingToken::ID
            | SetManufacturingToken::ID => self.answer_settings(id, with),
            SendUnicast::ID | SendBroadcast::ID | SendMulticast::ID => self.answer_messages(id, with, radio),
            NetworkInit::ID
            | GetNetworkState::ID
            | FormNetwork::ID
            | LeaveNetwork::ID
            | PermitJoining::ID
            | GetNetworkParameters::ID
            | SetInitialSecurityState::ID
            | GetCurrentSecurityState::ID
            | GetKey::ID
            | StartScan::ID => self.answer_network(id, with, now),
            GetChildData::ID
            | GetNeighbour::ID
            | NeighbourCount::ID
            | GetParentChildParameters::ID
            | LookupNodeId::ID
            | LookupEui64::ID
            | GetMulticastTableEntry::ID
            | SetMulticastTableEntry::ID
            | RemoveDevice::ID => self.answer_tables(id, with),
            _ => self.answer_rest(id, with),
        }
    }

    fn answer_settings(&mut self, id: u16, with: &[u8]) -> Answer {
        match id {
            AddEndpoint::ID => on(with, |command| self.add_endpoint(command)),
            GetConfigurationValue::ID => on(with, |GetConfigurationValue { id }| self.configuration(id)),
            SetConfigurationValue::ID => on(with, |command| self.configure(&command)),
            SetPolicy::ID => on(with, |SetPolicy { policy, decision }| {
                let known = policy <= 0x0d;
                known.then(|| self.stack.volatile.policies.insert(policy, decision));
                SetPolicyResponse { status: known_or(known, ProtocolStatus::InvalidId) }
            }),
            GetPolicy::ID => on(with, |GetPolicy { policy }| {
                let decision = self.stack.volatile.policies.get(&policy).copied();
                let status = known_or(decision.is_some(), ProtocolStatus::InvalidId);
                GetPolicyResponse { status, decision: decision.unwrap_or_default() }
            }),
            GetValue::ID => on(with, |GetValue { id }| self.value(id)),
            SetValue::ID => on(with, |SetValue { id, value }| {
                let fits =
                    self.stack.volatile.values.len() < TABLE || self.stack.volatile.values.contains_key(&id);
                fits.then(|| self.stack.volatile.values.insert(id, value));
                SetValueResponse { status: known_or(fits, ProtocolStatus::InvalidCall) }
            }),
            GetToken::ID => on(with, |GetToken { token }| {
                let known = token < TOKENS;
                let data = self.stack.tokens.get(&token).copied().unwrap_or([0xff; 8]);
                GetTokenResponse { status: done_or(known, StackStatus::BadArgument), data }
            }),
            SetToken::ID => on(with, |SetToken { token, data }| {
                let known = token < TOKENS;
                known.then(|| self.stack.tokens.insert(token, data));
                SetTokenResponse { status: done_or(known, StackStatus::BadArgument) }
            }),
            GetManufacturingToken::ID => on(with, |GetManufacturingToken { token }| {
                GetManufacturingTokenResponse { data: self.manufacturing_token(token) }
            }),
            // They are written once, by the maker.
            SetManufacturingToken::ID => on(with, |_: SetManufacturingToken| SetManufacturingTokenResponse {
                status: StackStatus::InvalidCall,
            }),
            _ => Err(ProtocolStatus::InvalidFrameId),
        }
    }

    fn add_endpoint(&mut self, command: AddEndpoint) -> AddEndpointResponse {
        let clusters = &command.clusters.0;
        let servers = usize::from(command.servers);
        let all = servers + usize::from(command.clients);
        let endpoints = &mut self.stack.volatile.endpoints;
        let room = endpoints.len() < TABLE && endpoints.iter().all(|known| known.number != command.endpoint);
        let status = if self.stack.volatile.up || !room {
            ProtocolStatus::InvalidCall
        } else if clusters.len() != all {
            ProtocolStatus::InvalidValue
        } else {
            let (servers, clients) = clusters.split_at(servers);
            endpoints.push(Endpoint {
                number: command.endpoint,
                profile: command.profile,
                device: command.device,
                servers: servers.to_vec(),
                clients: clients.to_vec(),
            });
            ProtocolStatus::Success
        };
        AddEndpointResponse { status }
    }

    fn configuration(&self, id: u8) -> GetConfigurationValueResponse {
        let value = self.stack.volatile.configuration.get(&id).copied();
        let status = known_or(value.is_some(), ProtocolStatus::InvalidId);
        GetConfigurationValueResponse { status, value: value.unwrap_or_default() }
    }

    /// Sizes of tables are fixed once the network is up.
    fn configure(&mut self, command: &SetConfigurationValue) -> SetConfigurationValueResponse {
        let up = self.stack.volatile.up;
        let status = match self.stack.volatile.configuration.get_mut(&command.id) {
            None => ProtocolStatus::InvalidId,
            Some(_) if up => ProtocolStatus::InvalidCall,
            Some(value) => {
                *value = command.value;
                ProtocolStatus::Success
            }
        };
        SetConfigurationValueResponse { status }
    }

    fn value(&self, id: u8) -> GetValueResponse {
        let value = match id {
            // Build 1 of the stack's version.
            VERSION_INFO => {
                let [high, low] = STACK_VERSION.to_be_bytes();
                Some(vec![1, 0, high >> 4, high & 0x0f, low >> 4, low & 0x0f, 0])
            }
            FREE_BUFFERS => Some(vec![200]),
            _ => self.stack.volatile.values.get(&id).cloned(),
        };
        let status = known_or(value.is_some(), ProtocolStatus::InvalidId);
        GetValueResponse { status, value: value.unwrap_or_default() }
    }

    fn manufacturing_token(&self, token: u8) -> Vec<u8> {
        let text = |text: &str| {
            let mut octets: Vec<u8> = text.bytes().take(TEXT_TOKEN).collect();
            octets.resize(TEXT_TOKEN, 0xff);
            octets
        };
        match token {
            MANUFACTURER => text(&self.identity.manufacturer),
            BOARD => text(&self.identity.board),
            CUSTOM_EUI64 => vec![0xff; 8],
            _ => vec![0xff; 2],
        }
    }

    fn answer_network(&mut self, id: u16, with: &[u8], now: Instant) -> Answer {
        match id {
            NetworkInit::ID => on(with, |_: NetworkInit| NetworkInitResponse { status: self.resume() }),
            GetNetworkState::ID => on(with, |GetNetworkState {}| {
                let state =
                    if self.stack.volatile.up { NetworkState::Joined } else { NetworkState::NoNetwork };
                GetNetworkStateResponse { state }
            }),
            FormNetwork::ID => {
                on(with, |FormNetwork { parameters }| FormNetworkResponse { status: self.form(parameters) })
            }
            LeaveNetwork::ID => on(with, |LeaveNetwork {}| LeaveNetworkResponse { status: self.leave(now) }),
            PermitJoining::ID => on(with, |PermitJoining { seconds }| {
                let up = self.stack.volatile.up;
                let time = (seconds != 0xff).then(|| Duration::from_secs(seconds.into()));
                if up {
                    self.permit(time, now);
                }
                PermitJoiningResponse { status: done_or(up, StackStatus::InvalidCall) }
            }),
            GetNetworkParameters::ID => on(with, |GetNetworkParameters {}| self.network_parameters()),
            SetInitialSecurityState::ID => on(with, |SetInitialSecurityState { state }| {
                let down = !self.stack.volatile.up;
                down.then(|| self.stack.volatile.security = Some(state));
                SetInitialSecurityStateResponse { status: done_or(down, StackStatus::InvalidCall) }
            }),
            GetCurrentSecurityState::ID => on(with, |GetCurrentSecurityState {}| self.security_state()),
            GetKey::ID => on(with, |GetKey { key_type }| self.key(key_type)),
            StartScan::ID => on(with, |command| self.scan(&command)),
            _ => Err(ProtocolStatus::InvalidFrameId),
        }
    }

    fn resume(&mut self) -> StackStatus {
        if self.stack.volatile.up {
            StackStatus::InvalidCall
        } else if self.stack.network.is_some() {
            self.network_is(StackStatus::NetworkUp);
            StackStatus::Success
        } else {
            StackStatus::NotJoined
        }
    }

    fn form(&mut self, parameters: NetworkParameters) -> StackStatus {
        let has_channel = (11..=26).contains(&parameters.channel);
        let security = self.stack.volatile.security.clone();
        match security {
            _ if self.stack.volatile.up => StackStatus::InvalidCall,
            _ if !has_channel || parameters.pan_id == 0xffff => StackStatus::BadArgument,
            // A network without a key is none.
            None => StackStatus::InvalidCall,
            Some(security) => {
                self.stack.network = Some(Network { parameters, security, joined: Vec::new() });
                self.network_is(StackStatus::NetworkUp);
                StackStatus::Success
            }
        }
    }

    fn leave(&mut self, now: Instant) -> StackStatus {
        if !self.stack.volatile.up {
            return StackStatus::InvalidCall;
        }
        self.stack.network = None;
        self.permit(Some(Duration::ZERO), now);
        self.network_is(StackStatus::NetworkDown);
        StackStatus::Success
    }

    fn network_parameters(&self) -> GetNetworkParametersResponse {
        let network = self.stack.running();
        GetNetworkParametersResponse {
            status: done_or(network.is_some(), StackStatus::NotJoined),
            node_type: if network.is_some() { NodeType::Coordinator } else { NodeType::Unknown },
            parameters: network.map_or_else(no_network, |network| network.parameters.clone()),
        }
    }

    fn security_state(&self) -> GetCurrentSecurityStateResponse {
        let bitmask = self.stack.running().map(|network| {
            let asked = network.security.bitmask;
            // There is a link key of the trust centre, made as the host has said.
            0x0010 | asked & (security_bits::GLOBAL_LINK_KEY | security_bits::HASHED_LINK_KEY)
        });
        GetCurrentSecurityStateResponse {
            status: done_or(bitmask.is_some(), StackStatus::NotJoined),
            state: CurrentSecurityState {
                bitmask: bitmask.unwrap_or_default(),
                trust_centre: self.identity.eui64,
            },
        }
    }

    fn key(&self, key_type: u8) -> GetKeyResponse {
        let security = self.stack.running().map(|network| &network.security);
        let found = security.and_then(|security| match key_type {
            TRUST_CENTRE_LINK_KEY => Some((security.preconfigured_key, 0)),
            NETWORK_KEY => Some((security.network_key, security.key_sequence)),
            _ => None,
        });
        let (key, sequence) = found.unwrap_or_default();
        let sent = u32::from(self.stack.volatile.sequence);
        GetKeyResponse {
            status: done_or(found.is_some(), StackStatus::NotFound),
            key: KeyStruct {
                bitmask: 0x000b,
                key_type,
                key,
                outgoing_frame_counter: sent,
                incoming_frame_counter: 0,
                sequence,
                partner: self.identity.eui64,
            },
        }
    }

    /// Every channel is quiet, and there is no network but what the host forms.
    fn scan(&mut self, command: &StartScan) -> StartScanResponse {
        let channels = (11..=26u8).filter(|channel| command.channels & 1 << channel != 0);
        for channel in channels.filter(|_| command.kind == 0) {
            self.call_back(Callback::EnergyScanResult(EnergyScanResult { channel, rssi: QUIET }));
        }
        let status = StackStatus::Success;
        self.call_back(Callback::ScanComplete(ScanComplete { channel: 0, status }));
        StartScanResponse { status }
    }

    fn answer_messages(&mut self, id: u16, with: &[u8], radio: &mut dyn Radio) -> Answer {
        match id {
            SendUnicast::ID => on(with, |command: SendUnicast| {
                let (status, sequence, aps) = self.accept(&command.aps, &command.message);
                if status == StackStatus::Success {
                    self.unicast(command.destination, &aps, command.tag, &command.message, radio);
                }
                SendUnicastResponse { status, sequence }
            }),
            SendBroadcast::ID => on(with, |command: SendBroadcast| {
                let (status, sequence, aps) = self.accept(&command.aps, &command.message);
                if status == StackStatus::Success {
                    self.broadcast(&command.message, &aps, radio);
                    self.sent(0x06, command.destination, &aps, command.tag, status);
                }
                SendBroadcastResponse { status, sequence }
            }),
            SendMulticast::ID => on(with, |command: SendMulticast| {
                let (status, sequence, aps) = self.accept(&command.aps, &command.message);
                if status == StackStatus::Success {
                    self.broadcast(&command.message, &aps, radio);
                    self.sent(0x03, aps.group, &aps, command.tag, status);
                }
                SendMulticastResponse { status, sequence }
            }),
            _ => Err(ProtocolStatus::InvalidFrameId),
        }
    }

    /// Whether a message can be sent, and with which number.
    fn accept(&mut self, aps: &ApsHeader, message: &[u8]) -> (StackStatus, u8, ApsHeader) {
        let status = if !self.stack.volatile.up {
            StackStatus::NetworkDown
        } else if message.len() > LONGEST_MESSAGE {
            StackStatus::MessageTooLong
        } else {
            StackStatus::Success
        };
        let sequence = self.stack.next_sequence();
        (status, sequence, ApsHeader { sequence, ..aps.clone() })
    }

    fn answer_tables(&mut self, id: u16, with: &[u8]) -> Answer {
        match id {
            GetChildData::ID => on(with, |GetChildData { index }| self.child(index)),
            GetNeighbour::ID => on(with, |GetNeighbour { index }| self.neighbour(index)),
            NeighbourCount::ID => on(with, |NeighbourCount {}| NeighbourCountResponse {
                count: u8::try_from(self.joined(false).count()).unwrap_or(u8::MAX),
            }),
            GetParentChildParameters::ID => {
                on(with, |GetParentChildParameters {}| GetParentChildParametersResponse {
                    children: u8::try_from(self.joined(true).count()).unwrap_or(u8::MAX),
                    parent: Eui64::UNKNOWN,
                    parent_address: NO_ADDRESS,
                })
            }
            LookupNodeId::ID => on(with, |LookupNodeId { eui64 }| {
                let found = self.stack.running().and_then(|network| network.by_eui64(eui64));
                LookupNodeIdResponse { address: found.map_or(NO_ADDRESS, |joined| joined.address) }
            }),
            LookupEui64::ID => on(with, |LookupEui64 { address }| {
                let found = self.stack.running().and_then(|network| network.by_address(address));
                LookupEui64Response {
                    status: done_or(found.is_some(), StackStatus::NotFound),
                    eui64: found.map_or(Eui64::UNKNOWN, |joined| joined.eui64),
                }
            }),
            GetMulticastTableEntry::ID => on(with, |GetMulticastTableEntry { index }| self.group(index)),
            SetMulticastTableEntry::ID => on(with, |SetMulticastTableEntry { index, value }| {
                let known = index < self.groups();
                known.then(|| self.stack.volatile.multicast.insert(index, value));
                SetMulticastTableEntryResponse { status: done_or(known, StackStatus::IndexOutOfRange) }
            }),
            RemoveDevice::ID => on(with, |command| self.remove(&command)),
            _ => Err(ProtocolStatus::InvalidFrameId),
        }
    }

    fn joined(&self, sleepy: bool) -> impl Iterator<Item = Joined> + '_ {
        let joined = self.stack.running().into_iter().flat_map(|network| network.joined.iter());
        joined.filter(move |joined| joined.sleepy == sleepy).copied()
    }

    fn child(&self, index: u8) -> GetChildDataResponse {
        let found = self.joined(true).nth(index.into());
        GetChildDataResponse {
            status: done_or(found.is_some(), StackStatus::NotJoined),
            child: ChildData {
                eui64: found.map_or(Eui64::UNKNOWN, |joined| joined.eui64),
                node_type: NodeType::SleepyEndDevice,
                address: found.map_or(NO_ADDRESS, |joined| joined.address),
                phy: 0,
                power: 0,
                timeout: 8,
            },
        }
    }

    fn neighbour(&self, index: u8) -> GetNeighbourResponse {
        let found = self.joined(false).nth(index.into());
        GetNeighbourResponse {
            status: done_or(found.is_some(), StackStatus::IndexOutOfRange),
            neighbour: Neighbour {
                address: found.map_or(NO_ADDRESS, |joined| joined.address),
                average_lqi: 0xff,
                in_cost: 1,
                out_cost: 1,
                age: 3,
                eui64: found.map_or(Eui64::UNKNOWN, |joined| joined.eui64),
            },
        }
    }

    /// Entries of the multicast table.
    fn groups(&self) -> u8 {
        let configured = self.stack.volatile.configuration.get(&0x06).copied().unwrap_or_default();
        u8::try_from(configured).unwrap_or(u8::MAX).min(32)
    }

    fn group(&self, index: u8) -> GetMulticastTableEntryResponse {
        let empty = MulticastEntry { group: 0, endpoint: 0, network: 0 };
        let value = self.stack.volatile.multicast.get(&index).cloned().unwrap_or(empty);
        let status = done_or(index < self.groups(), StackStatus::IndexOutOfRange);
        GetMulticastTableEntryResponse { status, value }
    }

    fn remove(&mut self, command: &RemoveDevice) -> RemoveDeviceResponse {
        let network = self.stack.running_mut();
        let left = network.and_then(|network| {
            let left = network.by_eui64(command.target)?;
            network.joined.retain(|joined| joined.eui64 != command.target);
            Some(left)
        });
        if let Some(left) = left {
            let (address, eui64) = (left.address, left.eui64);
            let gone = TrustCentreJoin { address, eui64, status: 2, decision: 3, parent: COORDINATOR };
            self.call_back(Callback::TrustCentreJoin(gone));
        }
        RemoveDeviceResponse { status: done_or(left.is_some(), StackStatus::NotFound) }
    }

    fn answer_rest(&mut self, id: u16, with: &[u8]) -> Answer {
        let success = StackStatus::Success;
        match id {
            Nop::ID => on(with, |Nop {}| NopResponse {}),
            Echo::ID => on(with, |Echo { data }| EchoResponse { echo: data }),
            GetEui64::ID => on(with, |GetEui64 {}| GetEui64Response { eui64: self.identity.eui64 }),
            GetNodeId::ID => on(with, |GetNodeId {}| GetNodeIdResponse {
                address: if self.stack.volatile.up { COORDINATOR } else { 0xfffe },
            }),
            GetRandomNumber::ID => on(with, |GetRandomNumber {}| GetRandomNumberResponse {
                status: success,
                value: self.stack.random(),
            }),
            ReadCounters::ID => on(with, |ReadCounters {}| ReadCountersResponse {
                values: ToEnd(self.stack.volatile.counters.to_vec()),
            }),
            ReadAndClearCounters::ID => on(with, |ReadAndClearCounters {}| {
                let values = std::mem::replace(&mut self.stack.volatile.counters, [0; COUNTERS]);
                ReadAndClearCountersResponse { values: ToEnd(values.to_vec()) }
            }),
            MaximumPayloadLength::ID => on(with, |MaximumPayloadLength {}| MaximumPayloadLengthResponse {
                octets: u8::try_from(LONGEST_MESSAGE).unwrap_or(u8::MAX),
            }),
            SetManufacturerCode::ID => on(with, |SetManufacturerCode { code }| {
                self.stack.volatile.manufacturer = code;
                SetManufacturerCodeResponse {}
            }),
            SetConcentrator::ID => on(with, |_: SetConcentrator| SetConcentratorResponse { status: success }),
            SetSourceRouteDiscoveryMode::ID => on(with, |_: SetSourceRouteDiscoveryMode| {
                SetSourceRouteDiscoveryModeResponse { remaining: 0 }
            }),
            SetRadioPower::ID => on(with, |SetRadioPower { power }| SetRadioPowerResponse {
                status: done_or((-40..=20).contains(&power), StackStatus::BadArgument),
            }),
            StopScan::ID => on(with, |StopScan {}| StopScanResponse { status: success }),
            _ => self.answer_keys(id, with),
        }
    }

    /// Keys and addresses of single devices: there are none, because no device of this network has a key of its own.
    fn answer_keys(&mut self, id: u16, with: &[u8]) -> Answer {
        let success = StackStatus::Success;
        match id {
            AddTransientLinkKey::ID => {
                on(with, |_: AddTransientLinkKey| AddTransientLinkKeyResponse { status: success })
            }
            ClearTransientLinkKeys::ID => {
                on(with, |ClearTransientLinkKeys {}| ClearTransientLinkKeysResponse {})
            }
            ClearKeyTable::ID => on(with, |ClearKeyTable {}| ClearKeyTableResponse { status: success }),
            FindKeyTableEntry::ID => {
                on(with, |_: FindKeyTableEntry| FindKeyTableEntryResponse { index: 0xff })
            }
            EraseKeyTableEntry::ID => {
                on(with, |_: EraseKeyTableEntry| EraseKeyTableEntryResponse { status: success })
            }
            GetKeyTableEntry::ID => on(with, |GetKeyTableEntry { index }| {
                let size = self.stack.volatile.configuration.get(&0x1e).copied().unwrap_or_default();
                let key = self.key(0).key;
                let inside = u16::from(index) < size;
                let status =
                    if inside { StackStatus::TableEntryErased } else { StackStatus::IndexOutOfRange };
                GetKeyTableEntryResponse { status, key }
            }),
            GetAddressTableEui64::ID => {
                on(with, |_: GetAddressTableEui64| GetAddressTableEui64Response { eui64: Eui64::UNKNOWN })
            }
            GetAddressTableNodeId::ID => {
                on(with, |_: GetAddressTableNodeId| GetAddressTableNodeIdResponse { address: NO_ADDRESS })
            }
            GetExtendedTimeout::ID => on(with, |GetExtendedTimeout { eui64 }| {
                let sleepy = self.joined(true).any(|joined| joined.eui64 == eui64);
                GetExtendedTimeoutResponse { extended_timeout: sleepy.into() }
            }),
            SetExtendedTimeout::ID => on(with, |_: SetExtendedTimeout| SetExtendedTimeoutResponse {}),
            _ => Err(ProtocolStatus::InvalidFrameId),
        }
    }
}

fn known_or(known: bool, otherwise: ProtocolStatus) -> ProtocolStatus {
    if known { ProtocolStatus::Success } else { otherwise }
}

fn done_or(done: bool, otherwise: StackStatus) -> StackStatus {
    if done { StackStatus::Success } else { otherwise }
}

fn no_network() -> NetworkParameters {
    NetworkParameters {
        extended_pan_id: [0; 8],
        pan_id: 0xffff,
        tx_power: 0,
        channel: 0,
        join_method: 0,
        manager: 0,
        update_id: 0,
        channels: 0,
    }
}
