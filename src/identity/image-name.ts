/** Names of container images: `registry:port/name:tag@sha256:digest`, each part but the name optional. */

export interface ImageName {
  readonly name: string
  readonly tag: string
  /** `sha256:…`, '' when the reference has none. */
  readonly digest: string
}

/** Takes a reference apart. A bare `sha256:…` (an image without name) has only a digest. */
export function parseImageName(reference: string): ImageName {
  const bare = reference.replace(/^[a-z-]+:\/\//, '') // docker-pullable://…
  if (/^[a-z0-9]+:[0-9a-f]{32,}$/.test(bare)) return { name: '', tag: '', digest: bare }
  const [path = '', digest = ''] = bare.split('@')
  const colon = path.lastIndexOf(':')
  if (colon < 0 || path.includes('/', colon)) return { name: path, tag: '', digest } // the colon of a port
  return { name: path.slice(0, colon), tag: path.slice(colon + 1), digest }
}

/** `service.version` of the semantic conventions out of an image: tag@digest, digest or tag. */
export function versionOfImage({ tag, digest }: ImageName): string {
  return tag !== '' && digest !== '' ? `${tag}@${digest}` : digest || tag
}
