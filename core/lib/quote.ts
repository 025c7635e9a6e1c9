/** Texts of users inside messages: one line, printable, and short, whatever was in them. */

const shownLengthMax = 80;

/** The text between single quotes; controls and everything beyond ASCII escaped, a long one cut. */
export function quote(text: string): string {
  const printable = text.slice(0, shownLengthMax).replace(/[^\x20-\x7e]/g, escapeUnit);
  return `'${printable}${text.length > shownLengthMax ? '...' : ''}'`;
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
