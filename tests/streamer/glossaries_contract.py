"""What every durable Glossaries promises, as tests: a subclass says how a gateway opens them, again and again."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from captions.errors import Changed, TooLarge
from captions.glossary_records import write_glossary
from captions.ports.glossaries import Glossaries
from captions.stored_glossary import Owner, StoredGlossary
from captions.terms import MOST_TERMS, Term
from streamer.glossaries import MOST_BYTES_OF_TENANT
from tests.support import terms

HALL = Owner("acme", "hall")
ACME = Owner("acme")
KUBECTL = Term(text="kubectl", sounds_like=("cube control",), weight=2)


async def until(true: Callable[[], bool]) -> None:
    """Return when it is so."""
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - another gateway's reader gives no sign
            await asyncio.sleep(0.02)


class GlossariesContract:
    """``open`` returns the same glossaries each time, as a gateway finds them that starts."""

    def open(self) -> AbstractAsyncContextManager[Glossaries]:
        raise NotImplementedError

    async def test_what_one_gateway_stores_all_others_see_and_a_restart_keeps(self) -> None:
        async with self.open() as here, self.open() as there:
            assert here.of(HALL).glossary.terms == ()
            stored = await here.put(HALL, (KUBECTL, *terms("pod")))
            assert stored is here.of(HALL)
            await until(lambda: there.of(HALL).glossary.terms == (KUBECTL, *terms("pod")))
            assert there.of(HALL).version == stored.version
        async with self.open() as again:
            assert again.of(HALL) == stored

    async def test_rooms_and_tenants_are_apart(self) -> None:
        owners = [HALL, ACME, Owner("acme", "side"), Owner(None, "hall"), Owner(None), Owner("other", "hall")]
        async with self.open() as here:
            for number, owner in enumerate(owners):
                await here.put(owner, terms(f"term {number}"))
        async with self.open() as again:
            for number, owner in enumerate(owners):
                assert again.of(owner).glossary.terms == terms(f"term {number}")
            await again.put(ACME, ())
            assert again.of(HALL).glossary.terms == terms("term 0")

    async def test_no_terms_delete_a_glossary_everywhere(self) -> None:
        async with self.open() as here, self.open() as there:
            empty = here.of(HALL).version
            await here.put(HALL, terms("pod"))
            await until(lambda: bool(there.of(HALL).glossary.terms))
            assert (await there.put(HALL, ())).version == empty
            await until(lambda: here.of(HALL).version == empty)
        async with self.open() as again:
            assert again.of(HALL).glossary.terms == ()

    async def test_who_read_another_version_changes_nothing(self) -> None:
        async with self.open() as here:
            first = here.of(HALL).version
            second = (await here.put(HALL, terms("pod"), first)).version
            for wrong in (first, "nonsense"):
                with pytest.raises(Changed):
                    await here.put(HALL, terms("node"), wrong)
                with pytest.raises(Changed):
                    await here.put(HALL, (), wrong)
            assert here.of(HALL).version == second
            assert (await here.put(HALL, terms("node"))).glossary.terms == terms("node")

    async def test_of_two_who_change_the_same_version_at_two_gateways_one_is_told(self) -> None:
        async with self.open() as here, self.open() as there:
            version = (await here.put(HALL, terms("pod"))).version
            await until(lambda: there.of(HALL).version == version)
            outcomes = await asyncio.gather(
                here.put(HALL, terms("here"), version),
                there.put(HALL, terms("there"), version),
                return_exceptions=True,
            )
            assert sorted(isinstance(outcome, Changed) for outcome in outcomes) == [False, True]
            winner = terms("here" if isinstance(outcomes[1], Changed) else "there")
            await until(lambda: {here.of(HALL).glossary.terms, there.of(HALL).glossary.terms} == {winner})
        async with self.open() as again:
            assert again.of(HALL).glossary.terms == winner

    async def test_terms_that_are_learnt_keep_their_source(self) -> None:
        async with self.open() as here, self.open() as there:
            await here.put(HALL, terms("pod"))
            await until(lambda: bool(there.of(HALL).glossary.terms))
            await asyncio.gather(
                *(gateway.add(HALL, terms("pod", f"term {n}"), "correction") for n, gateway in enumerate((here, there)))
            )
        async with self.open() as again:
            learnt = again.of(HALL).glossary
            assert sorted(term.text for term in learnt.terms) == ["pod", "term 0", "term 1"]
            assert learnt.sources == {"term 0": "correction", "term 1": "correction"}
            edited = await again.put(HALL, terms("term 1", "new"), again.of(HALL).version)
            assert edited.glossary.sources == {"term 1": "correction"}

    async def test_a_tenant_has_so_much_and_no_more(self) -> None:
        longest = tuple(Term(text=f"{n:050}", sounds_like=(f"{n:050}",) * 3) for n in range(MOST_TERMS))
        async with self.open() as here:
            size = len(write_glossary(HALL, StoredGlossary(longest)).value)
            rooms = [Owner("acme", f"room-{n}") for n in range(MOST_BYTES_OF_TENANT // size + 1)]
            for room in rooms[:-1]:
                await here.put(room, longest)
            with pytest.raises(TooLarge, match="delete some"):
                await here.put(rooms[-1], longest)
            await here.put(Owner("other", "room"), longest)
            await here.put(rooms[0], terms("shorter"))
            await here.put(rooms[1], ())
            await here.put(rooms[-1], longest)
