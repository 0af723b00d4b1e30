"""The task broker's Redis transport: no message is lost with a worker that dies. See docs/architecture.md, "Deaths".

kombu's own takes a message with BRPOP and only then notes it down as unacknowledged: what a worker had taken and not
yet noted down when it was killed was nowhere any more. Here taking it and noting that down are one step in Redis.
"""

from queue import Empty
from time import monotonic, time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from kombu.transport import redis as kombu_redis
from kombu.transport import virtual
from kombu.utils import json as kombu_json

from lern_tasks import settings
from lern_tasks.connections.redis import RedisRoles
from lern_tasks.delivery.parked_messages import park
from lern_tasks.delivery.transport import task_message
from lern_tasks.errors import DependencyDown
from lern_tasks.logs import logger

CLAIMS = "lern:claims"
"""Hash in the broker's database: messages taken and not yet noted down as unacknowledged, by claim."""

CLAIM_TIMES = "lern:claim-times"
"""When each claim was made, by Redis' clock."""

_PAUSE = 0.02
"""Seconds between two looks at empty queues: small against the time of a task, and 50 cheap calls a second."""

_REFUSED_PAUSE = 1.0
"""Seconds until the next look when Redis refuses this one: it is full or read-only, and that takes longer to mend."""

_TAKE = """
local count = #KEYS - 2
for i = 1, count do
  local raw = redis.call('LINDEX', KEYS[i], -1)
  if raw then
    redis.call('HSET', KEYS[count + 1], ARGV[1], KEYS[i] .. '\\n' .. raw)
    redis.call('ZADD', KEYS[count + 2], redis.call('TIME')[1], ARGV[1])
    redis.call('RPOP', KEYS[i])
    return {KEYS[i], raw}
  end
end
return false
"""
"""Noted down before it is taken: a Redis that is full refuses the note, and a script is not undone."""

_LOST_AFTER = 15.0
"""Seconds without an answer after which a look is held for lost with its connection; an answer takes a millisecond."""

_asked: dict[str, float] = {}
"""Claims of this process whose look has no answer yet, or whose message is not noted down yet, and since when."""

_GIVE_BACK = """
local late = tonumber(redis.call('TIME')[1]) - tonumber(ARGV[1])
local given = 0
local claims = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', late)
for i = 2, #ARGV do claims[#claims + 1] = ARGV[i] end
for _, claim in ipairs(claims) do
  local kept = redis.call('HGET', KEYS[1], claim)
  if kept then
    local cut = string.find(kept, '\\n', 1, true)
    redis.call('RPUSH', string.sub(kept, 1, cut - 1), string.sub(kept, cut + 1))
    redis.call('HDEL', KEYS[1], claim)
    given = given + 1
  end
  redis.call('ZREM', KEYS[2], claim)
end
return given
"""

_log = logger(__name__)

# Without types.
redis: Any = kombu_redis
virtual_qos: Any = virtual.QoS
json: Any = kombu_json


class QoS(redis.QoS):
    """What is delivered and not acknowledged."""

    def append(self, message: Any, delivery_tag: str) -> None:
        """Note the message down as unacknowledged; its claim ends in the same step."""
        kept = [
            message._raw,  # noqa: SLF001 (what kombu itself keeps)
            message.delivery_info["exchange"],
            message.delivery_info["routing_key"],
        ]
        with self.pipe_or_acquire() as pipe:
            pipe.zadd(self.unacked_index_key, {delivery_tag: time()})
            pipe.hset(self.unacked_key, delivery_tag, json.dumps(kept))
            self.channel.end_claim(pipe)
        virtual_qos.append(self, message, delivery_tag)

    def restore_unacked(self, client: Any = None) -> None:
        """Give back what is unacknowledged; what a lost connection leaves comes back as that of a dead worker does.

        celery closes a lost connection twice. When a channel fails the first time, kombu gets to another one only the
        second time, when the address is forgotten: the worker ended with an AttributeError.
        """
        if self.channel.connection.client is None:
            self._delivered.clear()
        else:
            super().restore_unacked(client)

    def restore_visible(self, *args: Any, **options: Any) -> None:
        """Give back what dead workers held, what they had only just taken, and what a cut connection kept from us."""
        super().restore_visible(*args, **options)
        lost = [claim for claim, since in _asked.items() if monotonic() - since > _LOST_AFTER]
        with self.channel.conn_or_acquire() as client:
            given = client.eval(_GIVE_BACK, 2, CLAIMS, CLAIM_TIMES, self.visibility_timeout, *lost)
        for claim in lost:
            # What was on its way when the connection was cut may arrive late.
            if monotonic() - _asked[claim] > self.visibility_timeout:
                del _asked[claim]
        if given:
            _log.warning("claims_given_back", messages=given)


class Channel(redis.Channel):
    """Takes messages by a script instead of BRPOP."""

    QoS = QoS

    def __init__(self, *args: Any, **options: Any) -> None:
        self._claim = ""
        self._next_look = 0.0
        super().__init__(*args, **options)

    def end_claim(self, pipe: Any) -> None:
        """Forget the claim under which the last message was taken, with what `pipe` holds: all, or nothing of it."""
        pipe.hdel(CLAIMS, self._claim)
        pipe.zrem(CLAIM_TIMES, self._claim)
        pipe.execute()
        _asked.pop(self._claim, None)
        self._claim = ""

    def _brpop_start(self, timeout: float | None = None) -> None:  # noqa: ARG002 (the base class's parameter)
        queues = self._queue_cycle.consume(len(self.active_queues))
        if not queues or monotonic() < self._next_look:
            return
        keys = [self._q_for_pri(queue, priority) for priority in self.priority_steps for queue in queues]
        self._claim = uuid4().hex
        _asked[self._claim] = monotonic()
        self._in_poll = self.client.connection
        self._brpop_sent_at = monotonic()
        command = ["EVAL", _TAKE, len(keys) + 2, *keys, CLAIMS, CLAIM_TIMES, self._claim]
        self.client.connection.send_command(*command)

    def _brpop_read(self, **options: Any) -> bool:
        try:
            taken = self._answer(**options)
            if not taken:
                raise Empty
            self._deliver_raw(taken[0].decode().rsplit(self.sep, 1)[0], taken[1])
            return True
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()

    def _answer(self, **options: Any) -> Any:
        self._next_look = monotonic() + _PAUSE
        try:
            taken = self.client.parse_response(self.client.connection, "EVAL", **options)
        except self.ResponseError as error:
            _asked.pop(self._claim, None)
            _log.error("nothing_taken", reason=str(error), seconds=_REFUSED_PAUSE)
            self._next_look = monotonic() + _REFUSED_PAUSE
            return None
        except self.connection_errors:
            # Disconnected, the next look connects again; what was taken is given back as after a death.
            self.client.connection.disconnect()
            raise
        if taken:
            # There may be more.
            self._next_look = 0.0
        else:
            _asked.pop(self._claim, None)
        return taken

    def _deliver_raw(self, queue: str, raw: bytes) -> None:
        """Hand a message to the worker. What the worker cannot take is parked: no message may end it."""
        self._queue_cycle.rotate(queue)
        try:
            message = task_message.check(raw, queue)
        except task_message.NotATask as error:
            if _parked(queue, raw, str(error)):
                self._end_claim_now()
            return
        try:
            self.connection._deliver(message, queue)  # noqa: SLF001 (as the method that this one replaces)
        except self.connection_errors:
            raise
        except Exception as error:
            if _parked(queue, raw, f"the worker could not take it: {type(error).__name__}: {error}"):
                self.qos.ack(message["properties"]["delivery_tag"])
                self._end_claim_now()
            return
        self._end_claim_now()

    def _end_claim_now(self) -> None:
        """Forget the claim of a message that nobody noted down as unacknowledged."""
        if self._claim:
            with self.conn_or_acquire() as client, client.pipeline() as pipe:
                self.end_claim(pipe)


class Transport(redis.Transport):
    """`broker_transport` of the workers."""

    Channel = Channel

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Also wake the loop for the next look at queues that were empty."""
        super().register_with_event_loop(connection, loop)
        old = getattr(loop, "lern_looks", None)
        if old is not None:
            old.cancel()
        loop.lern_looks = loop.call_repeatedly(_PAUSE, _look)


def _look() -> None:
    """Nothing: every turn of the loop begins with the look itself."""


def _parked(queue: str, raw: bytes, reason: str) -> bool:
    message = SimpleNamespace(body=raw, headers={}, content_type="", delivery_info={"routing_key": queue})
    try:
        park(RedisRoles(settings.current()).client("state"), message, reason)
    except DependencyDown:
        _log.error("message_not_parked", queue=queue)
        return False
    _log.error("message_parked", queue=queue, reason=reason)
    return True
