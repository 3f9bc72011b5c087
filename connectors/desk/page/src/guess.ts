// What somebody may mean who types something into the search field.
export type SearchKind = 'auto' | 'phone' | 'email' | 'user_id' | 'loyalty_card';

// The kinds to try, in order; the first that finds somebody wins.
export function guesses(kind: SearchKind, value: string): SearchKind[] {
  if (kind !== 'auto') return [kind];
  if (value.includes('@')) return ['email'];
  const digits = value.replace(/\D/g, '').length;
  const looksLikePhone = digits >= 6 && /^[+\d][\d\s()./-]*$/.test(value);
  if (looksLikePhone && (value.startsWith('+') || value.startsWith('00'))) return ['phone'];
  return looksLikePhone ? ['phone', 'user_id', 'loyalty_card'] : ['user_id', 'loyalty_card'];
}
