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

/** The title of a test: one line of at most 200 characters, without the word `test` in front. */
export function testTitle(title: string): string {
  return titleWithout('test', title);
}

/** The title of a `test.step`: one line of at most 200 characters, without the word `step` in front. */
export function stepTitle(title: string): string {
  return titleWithout('step', title);
}

/** The title of a `test.describe`: one line of at most 200 characters, without the word `describe` in front. */
export function describeTitle(title: string): string {
  return titleWithout('describe', title);
}

/** Leaves out the word that repeats the function's name, as `playwright/valid-title` asks. */
function titleWithout(word: string, title: string): string {
  const words = title.split(/[\s\p{Cc}]+/u).filter((each) => each !== '');
  const start = words.findIndex((each) => each.toLowerCase() !== word);
  const line = start === -1 ? unnamed : words.slice(start).join(' ');
  return Array.from(line).slice(0, 200).join('').trimEnd();
}
