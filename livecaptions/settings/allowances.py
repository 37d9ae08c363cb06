"""Settings of what a key, a tenant and an address may use: docs/limits.md."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from captions.limits import Allowance, Amount, Rate, Scope, Speed
from streamer.settings import GatewaySettings

_GATEWAY = GatewaySettings()
_KEY, _TENANT, _ADDRESS = _GATEWAY.key_limits, _GATEWAY.tenant_limits, _GATEWAY.address_limits


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        raise ValueError("has to be an address or a network, as 10.0.0.7 or 10.0.0.0/8 is") from error
    return text


class Allowances(BaseModel):
    """What one key, tenant or address may use at a gateway. 0 means no limit."""

    key_sessions: Amount = Field(_KEY.sessions, description="Publishers of one key at a time; 0: no limit.")
    key_viewers: Amount = Field(_KEY.viewers, description="Viewers of one key at a time; 0: no limit.")
    key_rooms: Amount = Field(_KEY.rooms, description="Rooms in which one key speaks at a time; 0: no limit.")
    key_connections: Rate = Field(
        _KEY.connections, description="Requests of one key a second, 30 s of them at once; 0: no limit."
    )
    key_messages: Rate = Field(
        _KEY.messages, description="Messages of one key's sockets a second, 30 s of them at once; 0: no limit."
    )
    key_speed: Speed = Field(
        _KEY.speed, description="Seconds of audio a second from each session of a key, 1 or more; 0: no limit."
    )
    key_minutes: Rate = Field(
        _KEY.minutes, description="Minutes of audio of one key in a month (UTC), at all gateways; 0: no limit."
    )
    tenant_sessions: Amount = Field(_TENANT.sessions, description="As key_sessions, of all keys of a tenant together.")
    tenant_viewers: Amount = Field(_TENANT.viewers, description="As key_viewers, of a tenant.")
    tenant_rooms: Amount = Field(_TENANT.rooms, description="As key_rooms, of a tenant.")
    tenant_connections: Rate = Field(_TENANT.connections, description="As key_connections, of a tenant.")
    tenant_messages: Rate = Field(_TENANT.messages, description="As key_messages, of a tenant.")
    tenant_speed: Speed = Field(_TENANT.speed, description="As key_speed, from each session of a tenant.")
    tenant_minutes: Rate = Field(_TENANT.minutes, description="As key_minutes, of a tenant.")
    address_sessions: Amount = Field(
        _ADDRESS.sessions, description="As key_sessions, of one address: a hall may share one; 0: no limit."
    )
    address_viewers: Amount = Field(_ADDRESS.viewers, description="As key_viewers, of one address.")
    address_rooms: Amount = Field(_ADDRESS.rooms, description="As key_rooms, of one address.")
    address_connections: Rate = Field(
        _ADDRESS.connections,
        description="As key_connections, of one address, before its token is checked: a hall reconnects all at once.",
    )
    address_messages: Rate = Field(_ADDRESS.messages, description="As key_messages, of one address.")
    address_speed: Speed = Field(_ADDRESS.speed, description="As key_speed, from each session of one address.")
    audio_burst: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        _GATEWAY.audio_burst,
        description="Seconds of audio a session may send ahead of key_speed: more than resume_window, to catch up.",
    )
    usage_file: Path | None = Field(
        None, description="Keeps the minutes of this month over a restart of `serve`; over Kafka, topic usage does."
    )
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        (), description="Addresses and networks of proxies whose X-Forwarded-For tells the client's address."
    )

    def allowance_of(self, scope: Scope) -> Allowance:
        """What one account of this kind may use."""
        named = {name: getattr(self, f"{scope}_{name}", 0) for name in Allowance.model_fields}
        return Allowance.model_validate(named)
