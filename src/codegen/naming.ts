const unnamed = 'recorded flow';

/** Names that Windows gives to devices, whatever the extension. */
const deviceName = /^(?:con|prn|aux|nul|com\d|lpt\d)$/;

/**
 * The name of a spec without its extension: lower case, words joined by `-`, at most 60 characters. Accents are folded
 * away from Latin letters; letters of other scripts stay as they are.
 */
export function fileNameFor(title: string): string {
  const folded = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/(?<=\p{Script=Latin})\p{M}+|\p{Default_Ignorable_Code_Point}/gu, '')
    .normalize('NFC');
  const words = folded.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  const name = Array.from(words.join('-')).slice(0, 60).join('').replace(/-$/, '');
  if (name === '') return fileNameFor(unnamed);
  return deviceName.test(name) ? `${name}-flow` : name;
}

/** One line of at most 200 characters that does not begin with the function's name, as `playwright/valid-title` asks. */
export function titleFor(word: 'test' | 'step' | 'describe', title: string): string {
  const words = title.split(/[\s\p{Cc}]+/u).filter((each) => each !== '');
  const start = words.findIndex((each) => each.toLowerCase() !== word);
  const line = start === -1 ? unnamed : words.slice(start).join(' ');
  return Array.from(line).slice(0, 200).join('').trimEnd();
}
