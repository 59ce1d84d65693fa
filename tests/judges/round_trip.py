"""What of a document is missing in the dump of the domain that was defined from it."""
import re
import xml.etree.ElementTree as ET

UNITS = {'b': 1, 'bytes': 1, 'KiB': 2**10, 'k': 2**10, 'MiB': 2**20, 'M': 2**20, 'GiB': 2**30, 'G': 2**30}


def number(text):
    """The number of a text in decimal or hex, else the text."""
    text = (text or '').strip()
    if re.fullmatch(r'0x[0-9a-fA-F]+', text):
        return int(text, 16)
    return int(text) if re.fullmatch(r'-?[0-9]+', text) else text


def attributes(element):
    """Attributes as they compare: a size and its unit are bytes."""
    out = {key: number(value) for key, value in element.attrib.items()}
    unit = element.attrib.get('unit')
    for key in ('size', 'memory'):
        if unit in UNITS and isinstance(out.get(key), int):
            out[key] *= UNITS[unit]
            out.pop('unit')
    return out


def text(element):
    value = number(element.text)
    unit = element.attrib.get('unit')
    return value * UNITS[unit] if unit in UNITS and isinstance(value, int) else value


def missing(ours, theirs, path=''):
    """Paths of ours that theirs lacks, comparing one pair of elements of the same name."""
    lost = []
    have = attributes(theirs)
    sized = 'unit' in ours.attrib and isinstance(number(ours.text), int)
    for key, value in attributes(ours).items():
        if key == 'unit' and sized:
            continue
        if have.get(key) != value:
            lost.append(f'{path}/@{key}')
    if text(ours) != text(theirs) and text(ours) != '':
        lost.append(f'{path}/text()')
    free = list(theirs)
    for child in ours:
        if child.tag.startswith('{http://libvirt.org/schemas/domain/qemu/'):
            continue  # the test driver has no such namespace; the driver's argv shows its words
        if child.tag == 'source' and child.attrib == {'mode': 'bind'}:
            continue  # a socket without a path: libvirt chooses it, and leaves it out until the domain starts
        best = None
        for candidate in free:
            if candidate.tag == child.tag:
                gone = missing(child, candidate, f'{path}/{child.tag}')
                if best is None or len(gone) < len(best[1]):
                    best = (candidate, gone)
                if not gone:
                    break
        if best is None:
            lost.append(f'{path}/{child.tag}')
        else:
            free.remove(best[0])
            lost += best[1]
    return lost


def lost(document, dump):
    return missing(ET.fromstring(document), ET.fromstring(dump), '')
