import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type HostSnapshot,
  parseCapabilities,
  parseCgroup2Mount,
  parseLockdown,
} from '../../../src/cli/host.ts'
import {
  CAP_BPF,
  CAP_PERFMON,
  CAP_SYS_ADMIN,
  CAP_SYSLOG,
  checkHost,
  refuseUnfitHost,
} from '../../../src/cli/preflight.ts'
import { AgentError } from '../../../src/errors.ts'
import { GOOD_HOST } from '../../helpers/fake-world.ts'

const NONE = { capabilities: 0n }

function refusal(host: Partial<HostSnapshot>): string {
  try {
    refuseUnfitHost({ ...GOOD_HOST, ...host }, 'profile 4242')
  } catch (error) {
    assert.ok(error instanceof AgentError)
    assert.equal(error.exitCode, 3)
    return error.message
  }
  return 'accepted'
}

function level(id: string, host: Partial<HostSnapshot>): string {
  return checkHost({ ...GOOD_HOST, ...host }, 'profile')!.find((f) => f.id === id)!.level
}

function bits(...capabilities: number[]): bigint {
  return capabilities.reduce((all, bit) => all | (1n << BigInt(bit)), 0n)
}

describe('refuseUnfitHost', () => {
  it('accepts root on a fit host', () => {
    assert.equal(refusal({}), 'accepted')
  })
  it('tells a user the exact sudo line', () => {
    assert.equal(
      refusal({ ...NONE, uid: 1000 }),
      'needs root, or CAP_BPF and CAP_PERFMON; run: sudo profile 4242',
    )
  })
  it('accepts a user with CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, and no less', () => {
    assert.equal(refusal({ uid: 1000, capabilities: bits(CAP_BPF, CAP_PERFMON) }), 'accepted')
    assert.equal(refusal({ uid: 1000, capabilities: bits(CAP_SYS_ADMIN) }), 'accepted')
    assert.match(refusal({ uid: 1000, capabilities: bits(CAP_BPF) }), /^needs root/)
    assert.match(refusal({ uid: 1000, capabilities: bits(CAP_PERFMON) }), /^needs root/)
  })
  it('tells root of a container what is missing, not sudo', () => {
    assert.equal(
      refusal({ capabilities: bits(CAP_PERFMON) }),
      'root here lacks CAP_BPF; start the container with --cap-add BPF --cap-add PERFMON --cap-add SYS_PTRACE (or --privileged)',
    )
  })
  it('needs kernel 5.10', () => {
    assert.equal(
      refusal({ kernelRelease: '5.9.99' }),
      'needs Linux 5.10 or later, this is 5.9.99; boot a newer kernel',
    )
    for (const kernelRelease of ['5.10.0-32-amd64', '5.17', '6.0.0', '10.2.3'])
      assert.equal(refusal({ kernelRelease }), 'accepted')
  })
  it('needs Node 20.19', () => {
    assert.equal(
      refusal({ nodeVersion: 'v18.20.4' }),
      'needs Node 20.19 or later, this is v18.20.4; install it from nodejs.org',
    )
    assert.match(refusal({ nodeVersion: 'v20.18.3' }), /^needs Node 20.19/)
    assert.equal(refusal({ nodeVersion: 'v22.0.0' }), 'accepted')
  })
  it('needs BTF, and says which way it can be had', () => {
    assert.match(
      refusal({ hasBtf: false }),
      /\(BTF\) is missing: .*; boot a kernel built with CONFIG_DEBUG_INFO_BTF=y$/,
    )
    assert.match(refusal({ hasBtf: false, inContainer: true }), /; mount \/sys into the container$/)
  })
  it('stops at lockdown "confidentiality" only', () => {
    assert.match(
      refusal({ lockdown: 'confidentiality' }),
      /^kernel lockdown is "confidentiality", .*; boot with lockdown=integrity/,
    )
    assert.equal(refusal({ lockdown: 'integrity' }), 'accepted')
    assert.equal(refusal({ lockdown: '' }), 'accepted')
  })
  it('needs Linux on x64 or arm64', () => {
    assert.match(refusal({ platform: 'darwin' }), /^needs Linux on x64 or arm64, this is darwin x64/)
    assert.match(refusal({ arch: 'riscv64' }), /this is linux riscv64/)
    assert.equal(refusal({ arch: 'arm64' }), 'accepted')
  })
  it('names the missing privilege only after what no privilege can mend', () => {
    assert.match(refusal({ ...NONE, uid: 1000, hasBtf: false }), /BTF/)
  })
})

describe('checkHost', () => {
  it('warns of hidden kernel names', () => {
    assert.equal(level('kptr_restrict', { kptrRestrict: 0 }), 'ok')
    assert.equal(level('kptr_restrict', { kptrRestrict: 1 }), 'ok')
    assert.equal(level('kptr_restrict', { ...NONE, kptrRestrict: 1 }), 'warning')
    assert.equal(level('kptr_restrict', { ...NONE, kptrRestrict: 0, perfEventParanoid: 2 }), 'warning')
    assert.equal(level('kptr_restrict', { ...NONE, kptrRestrict: 0, perfEventParanoid: 1 }), 'ok')
    assert.equal(level('kptr_restrict', { capabilities: bits(CAP_SYSLOG), kptrRestrict: 1 }), 'ok')
    assert.equal(level('kptr_restrict', { kptrRestrict: 2 }), 'warning')
    assert.equal(level('kptr_restrict', { kptrRestrict: null }), 'warning')
  })
  it('lets CAP_PERFMON pass the paranoid levels of mainline, and doubts it at those of distributions', () => {
    const capabilities = bits(CAP_BPF, CAP_PERFMON)
    assert.equal(level('perf_event_paranoid', { capabilities, perfEventParanoid: 2 }), 'ok')
    assert.equal(level('perf_event_paranoid', { capabilities, perfEventParanoid: 3 }), 'warning')
    assert.equal(level('perf_event_paranoid', { perfEventParanoid: 4 }), 'ok')
    assert.equal(level('perf_event_paranoid', { ...NONE, perfEventParanoid: 2 }), 'warning')
  })
  it('warns of binaries that cannot be opened, and names what is missing', () => {
    const six = bits(2, 19, 34, 38, 39, 40)
    assert.equal(level('files', { capabilities: six }), 'ok')
    assert.equal(level('files', { capabilities: six & ~bits(40) }), 'warning')
    assert.equal(level('files', { capabilities: six & ~bits(2) }), 'warning')
    assert.deepEqual(
      checkHost({ ...GOOD_HOST, capabilities: six, perfEventParanoid: 2 }, 'profile').filter(
        (finding) => finding.level !== 'ok',
      ),
      [],
    )
  })
  it('warns without CAP_SYS_PTRACE and without cgroup v2', () => {
    assert.equal(level('ptrace', { capabilities: bits(CAP_BPF, CAP_PERFMON) }), 'warning')
    assert.equal(level('cgroup2', { cgroup2: '' }), 'warning')
  })
  it('gives every finding that is not ok a fix', () => {
    const worst = {
      ...GOOD_HOST,
      ...NONE,
      nodeVersion: 'v1.0.0',
      platform: 'x',
      kernelRelease: '1.0',
      hasBtf: false,
      lockdown: 'confidentiality',
      kptrRestrict: 2,
      cgroup2: '',
      perfEventParanoid: 4,
    }
    const findings = checkHost(worst, 'profile')
    assert.equal(findings.filter((f) => f.level === 'ok').length, 0)
    for (const finding of findings) assert.notEqual(finding.fix, '', finding.id)
  })
})

describe('reading the host', () => {
  it('finds the effective capabilities', () => {
    assert.equal(parseCapabilities('CapPrm:\t0\nCapEff:\t000001ffffffffff\n'), 0x1ff_ffff_ffffn)
    assert.equal(parseCapabilities(''), 0n)
  })
  it('finds the lockdown in brackets', () => {
    assert.equal(parseLockdown('none [integrity] confidentiality\n'), 'integrity')
    assert.equal(parseLockdown(''), '')
  })
  it('finds the cgroup2 mount, hybrid hosts too', () => {
    const mounts = 'cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n'
    assert.equal(parseCgroup2Mount(mounts), '/sys/fs/cgroup/unified')
    assert.equal(parseCgroup2Mount('proc /proc proc rw 0 0\n'), '')
  })
})
