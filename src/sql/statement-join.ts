/** What several statements in one text do together. */
import { type Draft, newDraft } from "./statement-types.ts";

/** Items or leftovers by the part of their key before the colon: a cure takes one key, or one such group, or all. */
class Ledger<T extends { readonly key: string }> {
  #groups = new Map<string, Map<string, { at: number; value: T }[]>>();
  #count = 0;

  add(value: T): void {
    const name = groupOf(value.key);
    const group = this.#groups.get(name) ?? new Map();
    this.#groups.set(name, group);
    const entry = { at: this.#count++, value };
    const same = group.get(value.key);
    if (same === undefined) group.set(value.key, [entry]);
    else same.push(entry);
  }

  cure(cure: string): void {
    if (cure === "*") this.#groups.clear();
    else if (cure.endsWith(":*")) this.#groups.delete(groupOf(cure));
    else this.#groups.get(groupOf(cure))?.delete(cure);
  }

  inOrder(): T[] {
    const entries = [...this.#groups.values()].flatMap((group) => [...group.values()].flat());
    return entries.sort((a, b) => a.at - b.at).map(({ value }) => value);
  }
}

function groupOf(key: string): string {
  const colon = key.indexOf(":");
  return colon < 0 ? key : key.slice(0, colon);
}

/** In order: what a later statement cures is gone, whoever set it. */
export function joined(drafts: readonly Draft[]): Draft {
  const whole = newDraft();
  const sets = new Ledger<Draft["sets"][number]>();
  const leaves = new Ledger<Draft["leaves"][number]>();
  whole.effect = drafts.length === 0 ? "once" : "read";
  for (const draft of drafts) {
    if (draft.effect === "once" || whole.effect === "once") whole.effect = "once";
    else if (draft.effect === "idempotent") whole.effect = "idempotent";
    if (draft.asksCommit && whole.transaction !== "begin" && whole.transaction !== "savepoint")
      whole.asksCommit = true;
    if (draft.transaction !== "none") whole.transaction = draft.transaction;
    for (const cure of draft.cures) {
      sets.cure(cure);
      leaves.cure(cure);
      whole.cures.push(cure);
    }
    for (const item of draft.sets) sets.add(item);
    for (const leftover of draft.leaves) leaves.add(leftover);
    whole.dirty ||= draft.dirty;
    whole.recalls ||= draft.recalls;
  }
  whole.sets = sets.inOrder();
  whole.leaves = leaves.inOrder();
  return whole;
}
