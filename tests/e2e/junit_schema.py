"""What Jenkins' schema asks of JUnit's XML, as a schema for xmllint and as rules of our own where there is no xmllint."""
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as tree

from rig import check

SCHEMA = b"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
 <xs:element name="testsuites"><xs:complexType><xs:sequence><xs:element ref="testsuite" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
  <xs:attribute name="name"/></xs:complexType></xs:element>
 <xs:element name="testsuite"><xs:complexType><xs:sequence><xs:element ref="testcase" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
  <xs:attribute name="name" type="xs:string" use="required"/><xs:attribute name="tests" type="xs:nonNegativeInteger" use="required"/>
  <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/><xs:attribute name="errors" type="xs:nonNegativeInteger" use="required"/>
  <xs:attribute name="skipped" type="xs:nonNegativeInteger"/><xs:attribute name="time" type="xs:decimal" use="required"/></xs:complexType></xs:element>
 <xs:element name="testcase"><xs:complexType><xs:choice minOccurs="0"><xs:element name="skipped"><xs:complexType><xs:attribute name="message"/></xs:complexType></xs:element>
  <xs:element name="failure"><xs:complexType><xs:simpleContent><xs:extension base="xs:string"><xs:attribute name="message"/><xs:attribute name="type"/></xs:extension></xs:simpleContent></xs:complexType></xs:element>
  <xs:element name="error"><xs:complexType><xs:attribute name="message"/></xs:complexType></xs:element></xs:choice>
  <xs:attribute name="name" type="xs:string" use="required"/><xs:attribute name="classname" type="xs:string" use="required"/>
  <xs:attribute name="time" type="xs:decimal" use="required"/></xs:complexType></xs:element></xs:schema>"""

REQUIRED = {"testsuites": set(), "testsuite": {"name", "tests", "failures", "errors", "time"}, "testcase": {"name", "classname", "time"},
            "skipped": set(), "failure": set(), "error": set()}
CHILDREN = {"testsuites": {"testsuite"}, "testsuite": {"testcase"}, "testcase": {"skipped", "failure", "error"}, "skipped": set(), "failure": set(), "error": set()}


def judge():
    return "xmllint --schema" if shutil.which("xmllint") else "the built-in rules"


def valid_junit(text):
    """The document's root; raises when it is no JUnit."""
    root = tree.fromstring(text)
    if shutil.which("xmllint"):
        with tempfile.NamedTemporaryFile(suffix=".xsd") as schema:
            schema.write(SCHEMA)
            schema.flush()
            done = subprocess.run(["xmllint", "--noout", "--schema", schema.name, "-"], input=text.encode(), capture_output=True)
        check(done.returncode == 0, done.stderr.decode())
    stack = [root]
    while stack:
        node = stack.pop()
        check(REQUIRED[node.tag] <= set(node.attrib), f"{node.tag}: {node.attrib}")
        for child in node:
            check(child.tag in CHILDREN[node.tag], f"{child.tag} in {node.tag}")
            stack.append(child)
    return root
