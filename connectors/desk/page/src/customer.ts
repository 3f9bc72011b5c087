import {Assurance} from './gen/hilo/v1/common_pb';
import type {
  Case,
  Context,
  Customer,
  Fact,
  Interaction,
  Promise as CustomerPromise,
} from './gen/hilo/v1/customer_pb';
import type {FactKind} from './gen/hilo/v1/desk_service_pb';
import {language, t} from './messages';

// What to call a customer: their name, else the best identifier.
export function nameOf(customer: Customer | undefined): string {
  return (
    customer?.displayName || customer?.identifiers[0]?.identifier?.value || t('customer.unnamed')
  );
}

// The question of a fact in the language of the screen where the catalogue has it, else as it was put.
export function questionOf(
  kind: FactKind | undefined,
  question: string,
): {text: string; own: boolean} {
  const known = kind ? Object.values(kind.questions) : [];
  const translated = kind?.questions[language.value];
  if (translated && (question === '' || known.includes(question)))
    return {text: translated, own: false};
  return {text: question, own: true};
}

// Of two pictures of one contact the one with the higher assurance, which is never taken back within a contact.
export function surer(a: Interaction, b: Interaction | undefined): Interaction {
  return b && b.assurance > a.assurance && b.assurance !== Assurance.UNSPECIFIED
    ? {...a, assurance: b.assurance}
    : a;
}

// The context with that item in it. One that it has already is replaced only when asked for.
export function withItem(
  context: Context,
  item: Fact | Case | CustomerPromise,
  replace: boolean,
): Context {
  const put = <T extends {name: string}>(list: T[], one: T) => {
    if (!list.some((known) => known.name === one.name)) return [one, ...list];
    return replace ? list.map((known) => (known.name === one.name ? one : known)) : list;
  };
  switch (item.$typeName) {
    case 'hilo.v1.Fact':
      return {...context, facts: put(context.facts, item)};
    case 'hilo.v1.Case':
      return {...context, cases: put(context.cases, item)};
    default:
      return {...context, promises: put(context.promises, item)};
  }
}
