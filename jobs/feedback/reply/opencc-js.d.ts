/** The package does not type its dictionaries. Entries are separated by `|`, a character from its replacement by a space. */
declare module 'opencc-js/dict/STCharacters' {
  const entries: string;
  export default entries;
}
