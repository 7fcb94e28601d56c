"""Content credentials in files, by c2pa-python: signing what was coloured, and reading what is signed.

Nothing is fetched from a network, neither manifests nor lists of who is trusted.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import c2pa

from hybridvit.hints.sidecar import pixels_digest
from hybridvit.photo.decode import decode_file
from hybridvit.photo.photo import MAX_PIXELS, Photo
from hybridvit.provenance.claim import LABEL, MIMES, claim_of, ingredient_of, mime_of
from hybridvit.provenance.keys import SigningKey

_HERE = {
    "builder": {"thumbnail": {"enabled": False}},  # the original is named, not shown
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}
_TRIAL = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>'
UNTRUSTED = "signingCredential.untrusted"  # codes of the specification
_CHANGED = ("assertion.dataHash.mismatch", "assertion.bmffHash.mismatch", "assertion.boxesHash.mismatch")
_EXPIRED = ("signingCredential.expired", "claimSignature.outsideValidity")
_VOUCHED = {"signingCredential.trusted", "claimSignature.validated"}


class Signer:
    """Signs results with one key.

    Raises ValueError, one line, where C2PA does not take the key or its certificates.
    """

    def __init__(self, key: SigningKey):
        self.key = key
        try:
            self._signer = c2pa.Signer.from_info(
                c2pa.C2paSignerInfo(key.algorithm.encode(), key.chain, key.key, None)
            )
            trial = c2pa.Builder({"claim_generator_info": [{"name": "hybridvit"}]}, _context())
            trial.set_intent(c2pa.C2paBuilderIntent.CREATE, c2pa.C2paDigitalSourceType.DIGITAL_CREATION)
            trial.sign(self._signer, "image/svg+xml", BytesIO(_TRIAL), BytesIO())
        except c2pa.C2paError as error:
            raise ValueError(f"C2PA does not sign with the certificate of {key.name} ({error})") from error

    @property
    def named(self) -> str:
        """Who signs, for people."""
        return "a test key, which proves nothing" if self.key.is_test else self.key.name

    def check(self, photo: Photo, form: str) -> None:
        """Raises ValueError, one line, if results of a photograph cannot be signed in a format."""
        if photo.further and form == "tiff":
            # Behind the last page, where other programs expect one more, and stop
            raise ValueError(
                "credentials in a TIFF of several pages make it unreadable elsewhere: it is not signed"
            )

    def seal(self, path: Path, original: Path, form: str, title: str, provenance: Mapping[str, Any]) -> None:
        """Puts signed credentials into a result that is not in its place yet; its pixels and metadata stay.

        Args:
          path: the file; it is replaced by one beside it.
          original: the photograph's file.
          form: the result's format, a key of `claim.MIMES`.
          title: its name, once it is in its place.
          provenance: as `claim_of` takes it.

        Raises:
          OSError: the disk does not take it.
          ValueError: C2PA does not; one line.
        """
        pixels = digest_of_pixels(path)
        with original.open("rb") as file:
            source_mime = mime_of(file.read(12))
        claim = claim_of(
            provenance,
            title=title,
            mime=MIMES[form],
            source_mime=source_mime,
            pixels=pixels,
            is_test=self.key.is_test,
        )
        ingredient = ingredient_of(original.name, provenance["source_sha256"], source_mime)
        signed = path.with_name(f"{path.name}.signed")
        try:
            builder = _with_original(claim, ingredient, original)
            with path.open("rb") as source, signed.open("x+b") as target:
                builder.sign(self._signer, MIMES[form], source, target)
                target.flush()
                os.fsync(target.fileno())
            if digest_of_pixels(signed) != pixels:
                raise ValueError(
                    f"c2pa-python {c2pa.sdk_version()} would change its pixels: it is not signed"
                )
            os.replace(signed, path)
        except c2pa.C2paError as error:
            raise ValueError(f"it cannot be signed ({error})") from error
        finally:
            signed.unlink(missing_ok=True)


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What a file's credentials say, and whether they hold.

    Attributes:
      intact: the signature is of this claim, and the claim of this file.
      changed: the file is another than was signed.
      expired: signed, as far as can be told, when the certificate was not good.
      trusted: its certificate leads to one that is trusted; None: nobody was named to trust.
      problems: the specification's codes of what does not hold, but for trust.
      by: whose certificate it is; name, then organisation.
      time: when it was signed, by an authority's time stamp.
      generator: the software that claims it.
      actions: what it claims to have done.
      ingredients: names of what it is made of.
      own: our own assertion; None in what is not of our making.
    """

    intact: bool
    changed: bool
    expired: bool
    trusted: bool | None
    problems: tuple[str, ...]
    by: tuple[str, ...] = ()
    time: str | None = None
    generator: str = ""
    actions: tuple[str, ...] = ()
    ingredients: tuple[str, ...] = ()
    own: dict[str, Any] | None = None


def read_credentials(path: str | os.PathLike, anchors: str | None = None) -> Credentials | None:
    """The credentials in a file; None where there are none.

    Args:
      path: the file.
      anchors: certificates in PEM whose word is taken; None: whose it is stays open.

    Raises:
      OSError: it cannot be opened.
      ValueError: C2PA takes no such anchors.
    """
    path = Path(path)
    with path.open("rb") as file:
        mime = mime_of(file.read(12))
        if mime not in c2pa.Reader.get_supported_mime_types():
            return None
        file.seek(0)
        trust = {} if anchors is None else {"trust": {"trust_anchors": anchors}}
        try:
            context = _context(trust)
        except c2pa.C2paError as error:
            raise ValueError(f"no certificates that C2PA takes ({error})") from error
        try:
            reader = c2pa.Reader.try_create(mime, file, context=context)
        except c2pa.C2paError as error:  # there are some, and they are broken
            return Credentials(False, False, False, None, (str(error),))
        if reader is None:
            return None
        with reader:
            return _credentials(json.loads(reader.json()), anchors is not None)


def digest_of_pixels(path: Path) -> str:
    """SHA-256, in hex, of the pixels of a file's first page as they are stored."""
    pixels = decode_file(path, MAX_PIXELS).pixels
    return pixels_digest(pixels if pixels.ndim == 3 else pixels[..., None])


def _context(more: Mapping[str, Any] | None = None) -> c2pa.Context:
    return c2pa.Context.from_dict({**_HERE, **(more or {})})


def _with_original(claim: dict[str, Any], ingredient: dict[str, Any], original: Path) -> c2pa.Builder:
    """A builder with the original, and with the credentials that this has itself."""
    if ingredient["format"] in c2pa.Builder.get_supported_mime_types():
        builder = c2pa.Builder(claim, _context())
        try:
            with original.open("rb") as file:
                builder.add_ingredient(ingredient, ingredient["format"], file)
        except c2pa.C2paError:  # a file that we read and that it does not: it is named, and not looked into
            builder.close()
        else:
            return builder
    return c2pa.Builder({**claim, "ingredients": [ingredient]}, _context())


def _credentials(store: dict[str, Any], anchored: bool) -> Credentials:
    manifest = store["manifests"][store["active_manifest"]]
    results = store.get("validation_results", {}).get("activeManifest", {})
    failed = [one["code"] for one in results.get("failure", ())]
    held = {one["code"] for one in results.get("success", ())}
    trusted = held >= _VOUCHED if anchored else None  # though the file be changed since
    problems = tuple(dict.fromkeys(code for code in failed if code != UNTRUSTED))
    signature = manifest.get("signature_info", {})
    assertions = {one["label"]: one["data"] for one in manifest.get("assertions", ())}
    actions = next((data for label, data in assertions.items() if label.startswith("c2pa.actions")), {})
    info = (manifest.get("claim_generator_info") or [{}])[0]
    return Credentials(
        intact=not problems and store["validation_state"] != "Invalid",
        changed=any(code in _CHANGED for code in problems),
        expired=any(code in _EXPIRED for code in problems),
        trusted=trusted,
        problems=problems,
        by=tuple(filter(None, (signature.get("common_name"), signature.get("issuer")))),
        time=signature.get("time"),
        generator=" ".join(filter(None, (info.get("name"), info.get("version")))),
        actions=tuple(one["action"] for one in actions.get("actions", ())),
        ingredients=tuple(one.get("title") or "without a name" for one in manifest.get("ingredients", ())),
        own=assertions.get(LABEL),
    )
