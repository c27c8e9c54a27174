// SPDX-License-Identifier: Apache-2.0
// The start text for German: narratives, news, letters, manuals, laws.
#include "cm/start_text.h"

namespace llma::cm::internal {

// clang-format off
const std::string_view kGermanText =
R"~(Als die beiden Brüder am nächsten Morgen aufwachten, war es noch dunkel. Der
ältere ging zum Fenster und sah hinaus. "Es schneit", sagte er leise. "Wir
müssen uns beeilen, sonst kommen wir heute nicht mehr über den Berg." Der
jüngere wollte nicht aufstehen; er zog die Decke über den Kopf und tat, als ob
er nichts gehört hätte. Unten in der Küche hatte die Mutter schon das Feuer
angemacht, und es roch nach Kaffee und frischem Brot. "Wo bleibt denn dein
Bruder?", fragte sie, ohne sich umzudrehen. "Er kommt gleich", antwortete er.
"Ich habe ihm gesagt, dass wir nicht mehr viel Zeit haben, aber du weißt ja, wie
er ist." Sie lachte. Dann setzte sie sich zu ihm an den Tisch und sah ihn lange
an. "Versprich mir", sagte sie schließlich, "dass ihr zusammen bleibt, was auch
immer geschehen mag." Er nickte, aber er konnte ihr dabei nicht in die Augen
sehen. Nach einer halben Stunde waren sie auf dem Weg.

Die Stadt liegt an beiden Ufern des Flusses und hat etwa 120.000 Einwohner. Sie
wurde im Jahr 1248 zum ersten Mal in einer Urkunde erwähnt. Im 19. Jahrhundert
entwickelte sie sich durch den Bau der Eisenbahn zu einem wichtigen Zentrum der
Industrie. Während des Zweiten Weltkriegs wurde ein großer Teil der Altstadt
zerstört und in den fünfziger Jahren wieder aufgebaut. Heute gibt es hier eine
Universität, mehrere Museen, ein Theater und zahlreiche kleine und mittlere
Unternehmen. Die meisten von ihnen arbeiten im Bereich der Technik, der
Gesundheit und der Dienstleistungen. In den letzten Jahren ist die Zahl der
Arbeitsplätze deutlich gestiegen, während gleichzeitig immer mehr Menschen aus
den umliegenden Gemeinden in die Stadt ziehen. Dadurch sind auch die Preise für
Wohnungen erheblich höher als früher.

Der Präsident erklärte am Montag in Berlin, die Regierung werde dem Vorschlag
nicht zustimmen. Es sei zwar richtig, dass die Kosten in den vergangenen zwei
Jahren um mehr als 20 Prozent gestiegen seien, doch könne man nicht alle
Aufgaben auf die Länder und Gemeinden übertragen. Nach Angaben des Ministeriums
sind davon rund 3 Millionen Menschen in Deutschland betroffen. Die Opposition
kritisierte die Entscheidung. "Wir haben immer wieder darauf hingewiesen, dass
es so nicht weitergehen kann", sagte ihr Sprecher der Zeitung. Außerdem müsse
endlich geklärt werden, wer für die Folgen verantwortlich ist. Die Polizei sucht
unterdessen nach zwei Männern, die in der Nacht zum Sonntag in ein Geschäft in
der Innenstadt eingebrochen waren.

Sehr geehrte Damen und Herren,

vielen Dank für Ihr Schreiben vom 14. Mai, das wir mit großem Interesse gelesen
haben. Leider müssen wir Ihnen mitteilen, dass wir Ihnen zur Zeit kein Angebot
machen können, da unsere Mitarbeiter bis zum Ende des Jahres mit anderen
Aufträgen beschäftigt sind. Selbstverständlich werden wir uns bei Ihnen melden,
sobald sich daran etwas ändert. Falls Sie noch Fragen haben, stehen wir Ihnen
jederzeit gerne zur Verfügung. Bitte beachten Sie auch die Hinweise auf unserer
Seite im Internet.

Mit freundlichen Grüßen
Ihre Anna Schmidt

Mit diesem Programm können Sie Dateien öffnen, ändern und speichern. Wählen Sie
dazu im Menü "Datei" den Befehl "Öffnen", oder geben Sie den Namen der Datei in
der Zeile ein. Wenn die Datei nicht gefunden wird, erscheint eine Meldung auf
dem Bildschirm. Die Einstellungen werden beim Beenden gespeichert und beim
nächsten Start wieder verwendet. Ist die Option nicht angegeben, so wird der
voreingestellte Wert benutzt. Die folgende Tabelle enthält eine Übersicht über
alle Optionen und ihre Bedeutung. Weitere Informationen finden sich im Handbuch.

Die Sprache ist das wichtigste Mittel, mit dem Menschen einander verstehen. Sie
besteht aus Wörtern, die nach bestimmten Regeln zu Sätzen verbunden werden. Im
Deutschen werden alle Hauptwörter groß geschrieben, und sie haben eines von drei
Geschlechtern, das sich meistens nicht aus der Bedeutung ergibt. Zusammenges)~"
R"~(etzte
Wörter können fast beliebig lang werden. Das Verb steht im Hauptsatz an zweiter
Stelle, im Nebensatz dagegen am Ende, so dass man oft erst dann weiß, worum es
eigentlich geht, wenn der Satz schon zu Ende ist. Für die Wissenschaft ist die
Frage, wie Kinder eine Sprache lernen, bis heute nicht vollständig beantwortet.
Einerseits gibt es offenbar Fähigkeiten, die angeboren sind; andererseits hängt
vieles davon ab, was ein Kind in den ersten Jahren hört und erlebt. Beides lässt
sich kaum voneinander trennen.

Gesetz über die Verwaltung öffentlicher Einrichtungen

Eingangsformel

Der Bundestag hat mit Zustimmung des Bundesrates das folgende Gesetz
beschlossen:

Inhaltsübersicht

Abschnitt 1
Allgemeine Vorschriften

§ 1
Anwendungsbereich

(1) Dieses Gesetz gilt für die Einrichtungen des Bundes und der
bundesunmittelbaren Körperschaften, Anstalten und Stiftungen des
öffentlichen Rechts, soweit in anderen Gesetzen nichts anderes bestimmt
ist. Es gilt nicht für Einrichtungen, die ausschließlich oder überwiegend
der wissenschaftlichen Forschung dienen.

(2) Die Vorschriften des Zweiten Abschnitts finden entsprechende Anwendung
auf Personen, die

1.  zu ihrer Berufsausbildung beschäftigt sind,

2.  nach den §§ 5 bis 7 des Bürgerlichen Gesetzbuchs einen Antrag gestellt
    haben oder

3.  auf Grund eines Vertrages mindestens drei Monate lang nicht nur
    vorübergehend tätig waren.


Satz 1 Nr. 2 gilt nicht, wenn der Antrag vor dem 1. Januar 2005 gestellt
worden ist.

§ 2
Begriffsbestimmungen

Im Sinne dieses Gesetzes ist oder sind

1.  Träger: die juristische Person, die für die Durchführung der Aufgaben
    zuständig ist,

2.  Arbeitnehmer: Personen, die gegen Arbeitsentgelt oder zu ihrer
    Berufsausbildung in einem Arbeitsverhältnis stehen; ihnen stehen
    Beamte, Richter und Soldaten gleich,

3.  zuständige Behörde: die nach Landesrecht bestimmte Stelle.

§ 3
Leistungen

(1) Anspruch auf Leistungen hat, wer das 18. Lebensjahr vollendet hat, seinen
Wohnsitz oder gewöhnlichen Aufenthalt im Inland hat und seinen
Lebensunterhalt weder aus Einkommen noch aus Vermögen bestreiten kann. Das
Gleiche gilt für Ehegatten, Lebenspartner und Kinder, wenn sie in einem
gemeinsamen Haushalt leben. Als Einkommen gilt auch
Krankengeld, Arbeitslosengeld, Elterngeld, Unterhaltsgeld und eine Rente
wegen Alters oder wegen Erwerbsminderung.

(2) Die Leistungen werden auf Antrag erbracht. Der Antrag ist bei der
Agentur für Arbeit oder der Krankenkasse schriftlich zu stellen. Er kann
nur innerhalb eines Jahres nach Eintritt der Voraussetzungen gestellt
werden; § 26 Abs. 1 Satz 2 des Ersten Buches Sozialgesetzbuch bleibt
unberührt. Über den Antrag ist innerhalb von sechs Wochen zu entscheiden.

(3) Die Höhe der Beiträge zur gesetzlichen Krankenversicherung, zur
Rentenversicherung, zur Pflegeversicherung und zur Unfallversicherung
richtet sich nach den beitragspflichtigen Einnahmen der Mitglieder bis zur
Beitragsbemessungsgrenze. Die Beiträge werden von den Arbeitgebern und den
Versicherten jeweils zur Hälfte getragen. Versicherungspflichtig sind
Arbeiter und Angestellte, die gegen Arbeitsentgelt beschäftigt sind;
versicherungsfrei sind Personen, deren regelmäßiges Entgelt im Monat
400 Euro nicht übersteigt. Die Mitgliedschaft beginnt mit dem Tag des
Eintritts in die Beschäftigung und endet mit Ablauf des Tages, an dem das
Beschäftigungsverhältnis endet.

(4) Das Bundesministerium für Gesundheit wird ermächtigt, im Einvernehmen
mit dem Bundesministerium der Finanzen und mit Zustimmung des Bundesrates
durch Rechtsverordnung das Nähere über die Voraussetzungen und das
Verfahren zu bestimmen. Die Bundesregierung kann hierfür Richtlinien
erlassen.

§ 4
Aufgaben und Pflichten

(1) Verletzt eine Person oder ein Unternehmen vorsätzlich oder fahrlässig
diese Pflichten, so ist der daraus entstehende Schaden zu ersetzen. Besteht
die Pflichtverletzung in der verspäteten Zahlung eines Beitrags, sind für
jeden angefangenen Monat Zinsen zu entrichten. Hat der Betroffene die
Verletzung nicht zu vertreten, tritt die Ersatzpflicht nicht ein; dies gilt
auch für gesetzliche Vertreter und andere Personen, deren er sich zur
Erfüllung seiner Verbindlichkeiten bedient.

(2) Auf Verlangen der Behörde sind die erforderlichen Unterlagen unverzüglich
vorzulegen und die notwendigen Auskünfte zu erteilen. Die Verpflichtung nach
Absatz 1 besteht nicht, soweit durch die Auskunft Betriebsgeheimnisse
offenbart würden. Daten dürfen nur erhoben, verarbeitet und genutzt werden,
soweit dies zur Erfüllung der gesetzlichen Aufgaben erforderlich ist.

(3) Das Gericht kann auf Antrag des Gläubigers anordnen, dass der Schuldner
die Kosten des Verfahrens trägt. Gegen die Entscheidung ist die Beschwerde
zulässig. Die Klage hat keine aufschiebende Wirkung. Ordnungswidrig handelt,
wer entgegen § 3 Abs. 2 eine Anzeige nicht, nicht richtig, nicht vollständig
oder nicht rechtzeitig erstattet. Die Ordnungswidrigkeit kann mit einer
Geldbuße bis zu zehntausend Euro geahndet werden.

§ 5
Übergangsregelung

Auf Personen, die am 31. Dezember 2003 bereits eine Erlaubnis nach den bisher
geltenden Vorschriften hatten, ist dieses Gesetz in der bis zu diesem Zeitpunkt
geltenden Fassung weiter anzuwenden. Abweichend von Absatz 1 gilt dies auch )~"
R"~(dann,
wenn das Verfahren noch nicht abgeschlossen ist. Dieses Gesetz tritt am Tag nach
der Verkündung in Kraft. (Fundstelle des Originaltextes: BGBl. I 1996, 1254)
)~";
// clang-format on

}  // namespace llma::cm::internal
