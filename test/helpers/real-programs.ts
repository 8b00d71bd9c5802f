/** Real programs at real work for some seconds, as tests and benchmarks run them. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scratchDirectory } from './profile-run.ts'

export interface RealProgram {
  readonly name: string
  /** What must be installed. */
  readonly tools: readonly string[]
  /** It has code whose frames no table describes: they may be guessed, or end a stack for one of these reasons. */
  readonly mayEnd?: readonly string[]
  /** Makes its input; the command works in `cwd`. */
  readonly prepare: () => { readonly command: readonly string[]; readonly cwd: string }
}

/** Types with derived traits, and generic code over them: work for each stage of rustc. */
function rustSource(types: number): string {
  const one = (n: number) => `
#[derive(Clone, Debug, PartialEq, PartialOrd, Default, Hash, Eq, Ord)]
pub struct Type${n} { pub number: u64, pub text: String, pub list: Vec<Option<(u32, String)>> }
impl Type${n} {
    pub fn work(&mut self, rounds: u64) -> u64 {
        let text = self.text.clone();
        self.list.extend((0..rounds).map(|i| if i % 3 == 0 { None } else { Some((i as u32, format!("{i}:{text}"))) }));
        self.list.sort();
        self.list.iter().flatten().fold(self.number, |sum, (a, b)| sum.rotate_left(3) ^ *a as u64 ^ b.len() as u64)
    }
}`
  const numbers = Array.from({ length: types }, (_, n) => n)
  const uses = numbers.map((n) => `    sum ^= Type${n}::default().work(${n});`).join('\n')
  return `${numbers.map(one).join('')}\nfn main() {\n    let mut sum = 0u64;\n${uses}\n    println!("{sum}");\n}\n`
}

const CXX_SOURCE = `
#include <algorithm>
#include <functional>
#include <map>
#include <regex>
#include <string>
#include <vector>
int main(int argc, char **argv) {
    std::map<std::string, std::vector<std::function<int(int)>>> table;
    for (int i = 0; i < argc; i++) table[argv[i]].push_back([i](int x) { return x + i; });
    std::regex expression("([a-z]+)([0-9]*)|(x|y|z)+");
    std::smatch match;
    int sum = 0;
    for (auto &[name, list] : table) {
        sum += std::regex_match(name, match, expression);
        std::sort(list.begin(), list.end(), [](auto &a, auto &b) { return a(1) < b(1); });
    }
    return sum;
}
`

const NODE_SOURCE = `
const crypto = require('node:crypto'), zlib = require('node:zlib'), vm = require('node:vm')
const end = Date.now() + 1000 * (process.argv[2] ?? 4)
const numbers = (n) => Array.from({ length: n }, (_, i) => ({ i, text: String(i * 31) }))
function shuffle(list) { return list.sort((a, b) => (a.text < b.text ? -1 : 1)) }
while (Date.now() < end) {
  const text = JSON.stringify(shuffle(JSON.parse(JSON.stringify(numbers(3000)))))
  zlib.inflateSync(zlib.deflateSync(text))
  crypto.createHash('sha256').update(text).digest()
  text.replace(/"text":"(\\d+)"/g, (_, digits) => digits + 1)
  vm.runInNewContext('(function f' + Date.now() + '(x) { return x * 2 })(4)')
}
`

const SQL = `
create table words(id integer primary key, word text, weight real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000)
  insert into words select i, hex(randomblob(8)), abs(random()) / 1e9 from n;
create index by_word on words(word);
select count(*), sum(a.weight) from words a join words b on a.word < b.word and b.id = a.id + 1;
select substr(word, 1, 3) as head, avg(weight), group_concat(substr(word, 4, 2)) from words group by head order by 2 limit 3;
with recursive fib(i, a, b) as (select 1, 0, 1 union all select i + 1, b, a + b from fib where i < 80)
  select count(*) from fib, words where a > weight;
`

/** A stream for `git fast-import`: a history of small changes to 20 files of 300 lines. */
function gitHistory(commits: number): string {
  const files = Array.from({ length: 20 }, (_, n) =>
    Array.from({ length: 300 }, (_, i) => `line ${i} of ${n}`),
  )
  let stream = ''
  for (let n = 0; n < commits; n++) {
    const lines = files[n % 20]!
    for (let i = 0; i < 5; i++) lines[(n * 37 + i * 61) % 300] = `changed in ${n}: ${(n * 2654435761) % 1e9}`
    const text = `${lines.join('\n')}\n`
    stream += `commit refs/heads/main\ncommitter a <a@b> ${1e9 + n} +0000\ndata 1\nx\n`
    stream += `M 100644 inline file${n % 20}.txt\ndata ${text.length}\n${text}\n`
  }
  return stream
}

/** A bare repository with that history. */
function gitRepository(): string {
  const directory = scratchDirectory()
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', directory])
  execFileSync('git', ['fast-import', '--quiet'], { cwd: directory, input: gitHistory(6000) })
  return directory
}

function source(name: string, text: string): string {
  const directory = scratchDirectory()
  writeFileSync(join(directory, name), text)
  return directory
}

const OPENSSL = ['md5', 'sha1', 'sha256', 'sha512', 'aes-128-cbc', 'rsa2048', 'ecdsap256', 'ecdhx25519']

/** Every program of the list, installed or not. */
export function realPrograms(): readonly RealProgram[] {
  return [
    {
      name: 'rustc',
      tools: ['rustc'],
      prepare: () => ({ command: ['rustc', '-O', 'main.rs'], cwd: source('main.rs', rustSource(60)) }),
    },
    {
      name: 'g++',
      tools: ['g++'],
      prepare: () => ({ command: ['g++', '-O2', '-g', 'main.cc'], cwd: source('main.cc', CXX_SOURCE) }),
    },
    {
      name: 'openssl speed',
      tools: ['openssl'],
      prepare: () => ({
        command: ['openssl', 'speed', '-seconds', '1', '-bytes', '8192', ...OPENSSL],
        cwd: scratchDirectory(),
      }),
    },
    {
      name: 'openssl speed, ChaCha20 and AES-CTR',
      tools: ['openssl'],
      prepare: () => ({
        command: [
          'sh',
          '-c',
          'for i in chacha20-poly1305 aes-128-ctr; do openssl speed -seconds 1 -bytes 8192 -evp $i; done',
        ],
        cwd: scratchDirectory(),
      }),
    },
    {
      // Its assembly keeps the frame's address in rax, over calls of its own leaf functions.
      name: 'openssl speed, AES-GCM',
      tools: ['openssl'],
      prepare: () => ({
        command: ['openssl', 'speed', '-seconds', '2', '-bytes', '8192', '-evp', 'aes-256-gcm'],
        cwd: scratchDirectory(),
      }),
    },
    {
      name: 'sqlite3',
      tools: ['sqlite3'],
      prepare: () => ({
        command: ['sh', '-c', 'exec sqlite3 :memory: < work.sql'],
        cwd: source('work.sql', SQL),
      }),
    },
    {
      name: 'node',
      tools: ['node'],
      mayEnd: ['jit'],
      prepare: () => ({ command: ['node', 'app.cjs'], cwd: source('app.cjs', NODE_SOURCE) }),
    },
    {
      name: 'git log',
      tools: ['git'],
      prepare: () => ({
        command: ['sh', '-c', 'for i in 1 2 3; do git log -p --stat main > /dev/null; done'],
        cwd: gitRepository(),
      }),
    },
    {
      name: 'git repack',
      tools: ['git'],
      prepare: () => ({
        command: ['git', 'repack', '-adfq', '--depth=50', '--window=100'],
        cwd: gitRepository(),
      }),
    },
  ]
}
