"""Seeded bugs: for every rule of the saga some ways to break it, each of which must be noticed.

The first one leaves the saga as it is and breaks the codec instead.
"""

from tests.model.mutation import Mutant

MUTANTS = (
    Mutant("R1", "SUCCESS alone is taken for a live card (codec)"),
    Mutant(
        "R1",
        "a tombstone is handed out as a card",
        "return sent._burnt(reason, policy)",
        "return Issued(reason)",
    ),
    Mutant(
        "R1",
        "a tombstone is handed out where no successor may follow",
        "return Reversed(reason)",
        "return Issued(reason)",
    ),
    Mutant(
        "R2",
        "a successor as soon as the undo is answered",
        "return Forward(facts=answered.facts, pause=Pause.BACKOFF, turns=self.turns)",
        "return Forward(facts=Facts(epoch=self.facts.epoch + 1))",
    ),
    Mutant(
        "R2",
        "a successor after 'too late' and 'claimed'",
        "return sent._forward(policy)",
        "return Forward(facts=Facts(epoch=self.facts.epoch + 1))",
    ),
    Mutant(
        "R2",
        "an answered undo proves that the card is dead",
        "return sent._had_effect()._forward(policy)",
        'return Reversed(Reason("undone"))',
    ),
    Mutant(
        "R2",
        "a successor of an ID that somebody else cancelled",
        "ours = self.facts.undone and not self.facts.confirmed",
        "ours = True",
    ),
    Mutant(
        "R3",
        "an undo on a timeout",
        "return sent._doubting()._again(Pause.BACKOFF, reason, policy)",
        "return sent._doubting()._undo_first(reason, policy)",
    ),
    Mutant(
        "R3",
        "an undo on a conflict",
        "return sent._copied(policy)._concluded(Declined(reason, conflict=True))",
        "return sent._undo_first(reason, policy)",
    ),
    Mutant(
        "R3",
        "an undo when the attempts are used up",
        "return self.out_of_time(reason)\n        return replace",
        "return Undo(facts=self.facts, turns=self.turns + 1)\n        return replace",
    ),
    Mutant(
        "R4",
        "a lost undo is not repeated",
        "return sent._had_effect()._tainted()._again(Pause.BACKOFF, reason, policy)",
        "return sent._had_effect()._tainted()._forward(policy)",
    ),
    Mutant(
        "R4",
        "a lost undo does not taint",
        "return sent._had_effect()._tainted()._again(Pause.BACKOFF, reason, policy)",
        "return sent._had_effect()._again(Pause.BACKOFF, reason, policy)",
    ),
    Mutant(
        "R4",
        "an undo that leaves is not on record as a taint",
        "undone=True, tainted=True",
        "undone=True",
    ),
    Mutant(
        "R4",
        "the copy of an answered undo does not taint",
        "answered = self._tainted() if policy.network_may_duplicate else self",
        "answered = self",
    ),
    Mutant(
        "R5",
        "a success under a tainted ID is handed out at once",
        "if sent.facts.tainted:",
        "if sent.facts.confirmed:",
    ),
    Mutant(
        "R5",
        "a held success does not wait until nothing late can land",
        "return replace(self._doubting(), pause=Pause.SETTLE)",
        "return replace(self._doubting(), pause=Pause.BACKOFF)",
    ),
    Mutant(
        "R5",
        "any pause counts as having waited",
        "self.facts.tainted and self.pause is not Pause.SETTLE",
        "self.facts.tainted and self.pause is Pause.NONE",
    ),
    Mutant(
        "R5",
        "a call that ends during the wait forgets the taint",
        "return replace(facts, tainted=facts.tainted or state.facts.tainted)",
        "return facts",
    ),
    Mutant(
        "R5",
        "the replay that confirms a held success counts against the limit",
        "return sent._held()",
        "return sent._doubting()._again(Pause.SETTLE, Reason('held'), policy)",
    ),
    Mutant(
        "R6",
        "a confirmed card is undone on F400",
        "if self.facts.confirmed or (patient",
        "if (patient",
    ),
    Mutant(
        "R6",
        "that the card is confirmed does not go on record",
        "return replace(state.sending().facts, confirmed=True)",
        "return state.sending().facts",
    ),
    Mutant(
        "R6",
        "a confirmed card that was cancelled gets a successor",
        "ours = self.facts.undone and not self.facts.confirmed",
        "ours = self.facts.undone",
    ),
    Mutant(
        "R7",
        "out of time is always a failure",
        "if self.facts.doubtful or self.facts.confirmed:\n            return InDoubt(reason)",
        "if self.facts.confirmed:\n            return InDoubt(reason)",
    ),
    Mutant(
        "R7",
        "out of time while undoing counts as undone",
        'in time."""\n        return InDoubt(reason)',
        'in time."""\n        return Reversed(reason)',
    ),
    Mutant(
        "R7",
        "an undo that was never answered counts as undone",
        "if self.attempts >= policy.undo_attempts_max:\n            return InDoubt(reason)",
        "if self.attempts >= policy.undo_attempts_max:\n            return Reversed(reason)",
    ),
    Mutant(
        "R7",
        "F400 once too often is a failure",
        "if self.turns >= policy.turns_max:\n            return InDoubt(reason)",
        "if self.turns >= policy.turns_max:\n            return Unavailable(reason)",
    ),
    Mutant(
        "R8",
        "a refusal is always conclusive",
        "known = not (self.facts.doubtful or self.facts.confirmed)",
        "known = True",
    ),
    Mutant(
        "R8",
        "a lost create leaves no doubt",
        "return sent._doubting()._again(Pause.BACKOFF, reason, policy)",
        "return sent._again(Pause.BACKOFF, reason, policy)",
    ),
    Mutant(
        "R8",
        "a create that leaves is not on record as doubtful",
        "return replace(self, facts=replace(self._facts_now(), doubtful=True))",
        "return replace(self, facts=self._facts_now())",
    ),
    Mutant(
        "R8",
        "the copy of a create that was turned away leaves no doubt",
        "return self._doubting() if policy.network_may_duplicate else self",
        "return self",
    ),
    Mutant(
        "R9",
        "recovery undoes what is in doubt",
        "return Forward(facts=facts)",
        "return Undo(facts=facts) if facts.doubtful else Forward(facts=facts)",
    ),
    Mutant(
        "R9",
        "recovery drops an undo that is on record",
        "return Undo(facts=facts)",
        "return Forward(facts=facts)",
    ),
    Mutant(
        "throttle",
        "a throttled create is repeated at once",
        "return sent._copied(policy)._again(Pause.COOLDOWN, reason, policy)",
        "return sent._copied(policy)._again(Pause.NONE, reason, policy)",
    ),
    Mutant(
        "throttle",
        "a throttled undo is repeated after a mere backoff",
        "return sent._again(Pause.COOLDOWN, reason, policy)",
        "return sent._again(Pause.BACKOFF, reason, policy)",
    ),
    Mutant(
        "F400",
        "F400 is only ever replayed",
        "return sent._doubting()._undo_first(reason, policy)",
        "return sent._doubting()._again(Pause.BACKOFF, reason, policy)",
    ),
    Mutant(
        "F400",
        "F400 leaves no doubt",
        "return sent._doubting()._undo_first(reason, policy)",
        "return sent._undo_first(reason, policy)",
    ),
    Mutant(
        "limits",
        "the turns are forgotten",
        "pause=Pause.BACKOFF, turns=self.turns)",
        "pause=Pause.BACKOFF)",
    ),
    Mutant(
        "limits",
        "undos are not counted",
        "if self.attempts >= policy.undo_attempts_max:",
        "if self.attempts < 0:",
    ),
    Mutant(
        "limits",
        "successors are not counted",
        "and self.facts.epoch < policy.successors_max",
        "and self.facts.epoch >= 0",
    ),
)
